export { type ContinueRequest, continueRun, findRun, inRun } from "./continue-run.ts";
export { type ByHand, type ByHandResult, type FailedBranch, mergeByHand } from "./merge-by-hand.ts";
export { dryRunMerge, type MergeDryRun, type MergePreview, type PreviewRequest, previewMerge } from "./merge-preview.ts";
export { type OpenConflicts, openConflicts, type Toucher, whoTouches } from "./open-conflicts.ts";
export { liveRun } from "./ownership.ts";
export { decisionOf, prepareRun, type RunRequest } from "./prepare-run.ts";
export { listRuns, type RunRecord, type RunSummary, removeRunFolder } from "./run-folder.ts";
export type { RunHost, SessionEnd, SessionStart } from "./run-session.ts";
export { startRun } from "./start-run.ts";
