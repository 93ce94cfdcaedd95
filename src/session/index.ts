export { type CheckpointInput, checkpointFields, checkpointText, remainingGroups } from "./checkpoint.ts";
export { foldLine, foldRun } from "./fold.ts";
export { progressView } from "./progress-view.ts";
export { freshTask, isSettled, type Landing, retryLimit, type RunFacts, type RunLimits, TASK_STATUSES, type TaskFacts, type TaskStatus } from "./run-facts.ts";
export { viewPaths, type ViewPaths, type ViewWriter, viewWriter, writeCheckpoint, writeYamlView } from "./views.ts";
