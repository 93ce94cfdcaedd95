export type { AgentSpec, Config } from "./config.ts";
export { ERROR_EXITS, type ErrorCode, type ErrorParts, EXIT, type ExitCode, GraftworkError, systemCode, worstExit } from "./errors.ts";
export type { JournalLine, LandedTask, RunEvent } from "./events.ts";
export { idKey, isRunId, isTaskId, requireTaskId, runId, slotId, slotNumber } from "./ids.ts";
export { type AgentReport, FAILURES, type FailureKind, type Outcome, SIGNALS, type Signal, type Usage } from "./outcome.ts";
export { type Check, type Decision, type Group, type Plan, type Task, WORK_TYPES, type WorkType } from "./plan.ts";
export { type Lease, type LeasedSlot, type LeaseOwner, type ProcessIdentity, SLOT_STATUSES, type SlotStatus } from "./pool.ts";
export { cleanText, count, hideCredentials, humanDuration, tailLines } from "./text.ts";
export type { CheckResult, MergeConflict, Verdict, Verification, Verify, VerifyRequest } from "./verdict.ts";
