export { type ContinueRequest, continueRun, findRun, inRun } from "./continue-run.ts";
export { type ByHand, type ByHandResult, mergeByHand } from "./merge-by-hand.ts";
export { groupStatus, type Job, jobKey, nextJobs, type Situation } from "./next-jobs.ts";
export { type LiveState, liveRun, type Ownership, ownRun } from "./ownership.ts";
export { decisionOf, prepareRun, type RunRequest } from "./prepare-run.ts";
export { listRuns, type RunRecord, type RunSummary, readRunFolder, removeRunFolder } from "./run-folder.ts";
export { exitOf, type RunHost, type SessionEnd, type SessionStart } from "./run-session.ts";
export { startRun } from "./start-run.ts";
