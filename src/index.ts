// The library: what the command line does, a program can do. No printing, no exit, errors are GraftworkError.

export { presets } from "./agents/index.ts";
export { loadConfig } from "./config/index.ts";
export {
  type AgentSpec,
  type Check,
  type CheckResult,
  type Config,
  type Decision,
  ERROR_EXITS,
  EXIT,
  GraftworkError,
  type Group,
  type JournalLine,
  type Lease,
  type LeasedSlot,
  type Plan,
  type RunEvent,
  type Task,
  type Verdict,
} from "./domain/index.ts";
export { dangerousConfig, openRepository, type Repository, userIdentity } from "./git/index.ts";
export {
  type ConflictedFile,
  type Finding,
  type MergeContext,
  mergeApproved,
  proveMerge,
  type Resolution,
  resolveFile,
} from "./merge/index.ts";
export { decide, parsePlan } from "./plan/index.ts";
export {
  acquireSlot,
  cleanupPool,
  initPool,
  listRescues,
  type PoolContext,
  poolHealth,
  poolStatus,
  processOwner,
  releaseSlot,
  restoreRescue,
  shellOwner,
} from "./pool/index.ts";
export { verifyCommit } from "./qa/index.ts";
export { continueRun, findRun, listRuns, prepareRun, type RunHost, type RunRequest, type SessionEnd, startRun } from "./run/index.ts";
