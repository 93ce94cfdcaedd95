export { type CheckpointInput, checkpointFields, checkpointText, remainingGroups } from "./checkpoint.ts";
export { foldLine, foldRun } from "./fold.ts";
export { progressView } from "./progress-view.ts";
export {
  freshTask,
  isSettled,
  type Landing,
  type RunFacts,
  type RunLimits,
  retryLimit,
  TASK_STATUSES,
  type TaskFacts,
  type TaskStatus,
} from "./run-facts.ts";
export { type ViewPaths, type ViewWriter, viewPaths, viewWriter, writeCheckpoint, writeYamlView } from "./views.ts";
