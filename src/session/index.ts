export { foldLine, foldRun } from "./fold.ts";
export { freshTask, isSettled, type Landing, retryLimit, type RunFacts, type RunLimits, TASK_STATUSES, type TaskFacts, type TaskStatus } from "./run-facts.ts";
