export { groupStatus, type Job, jobKey, nextJobs, type Situation } from "./next-jobs.ts";
export { type LiveState, liveRun, type Ownership, ownRun } from "./ownership.ts";
export { listRuns, readRunFolder, removeRunFolder, type RunRecord, type RunSummary } from "./run-folder.ts";
export { type ContinueRequest, continueRun, decisionOf, exitOf, findRun, inRun, prepareRun, type RunHost, type RunRequest, type SessionEnd, type SessionStart, startRun } from "./run-plan.ts";
export { type ByHand, type ByHandResult, mergeByHand } from "./merge-by-hand.ts";
