export { type CheckpointInput } from "./checkpoint.ts";
export { foldLine, foldRun } from "./fold.ts";
export { progressView } from "./progress-view.ts";
export {
  awaitsCheckout,
  type ConflictStep,
  isAvailable,
  isOver,
  isSettled,
  type Landing,
  type RunFacts,
  type RunLimits,
  shownStatus,
  type TaskFacts,
  type TaskStatus,
} from "./run-facts.ts";
export { packetFolder, type ViewPaths, type ViewWriter, viewPaths, viewWriter, writeCheckpoint, writeYamlView } from "./views.ts";
