/**
 * Every error a user can meet: a stable code, the exit code that goes with it and a message in three parts.
 * Exit codes name the reaction, not the cause: 1 read the message, 2 fix the command, config or plan,
 * 3 wait and retry, 4 the work was refused, 5 a person is needed, 70 a defect of ours.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  retry: 3,
  refused: 4,
  person: 5,
  defect: 70,
} as const;

export type ExitCode = number;

/** The stable codes, each with its exit code. `docs/errors.md` explains every one; a test compares the two. */
export const ERROR_EXITS = {
  USAGE: EXIT.usage,
  PLATFORM_UNSUPPORTED: EXIT.usage,
  GIT_MISSING: EXIT.usage,
  GIT_TOO_OLD: EXIT.usage,
  NOT_A_REPOSITORY: EXIT.usage,
  REPOSITORY_EMPTY: EXIT.usage,
  REPOSITORY_UNSUPPORTED: EXIT.usage,
  REF_UNKNOWN: EXIT.usage,
  ID_INVALID: EXIT.usage,
  SIZE_INVALID: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  PLAN_INVALID: EXIT.usage,
  PLAN_UNREADABLE: EXIT.usage,
  PLAN_CHANGED: EXIT.usage,
  NO_CHECKS: EXIT.usage,
  CONFIRMATION_NEEDED: EXIT.usage,
  TRUST_NEEDED: EXIT.usage,
  NOTHING_TO_CONTINUE: EXIT.usage,
  RUN_UNKNOWN: EXIT.usage,
  TASK_UNKNOWN: EXIT.usage,
  AGENT_UNKNOWN: EXIT.usage,
  STATE_NEWER: EXIT.usage,
  FOLDER_REFUSED: EXIT.usage,
  GIT_FAILED: EXIT.failed,
  TREE_UNSAFE: EXIT.failed,
  FILE_REFUSED: EXIT.failed,
  STATE_DAMAGED: EXIT.failed,
  STATE_UNWRITABLE: EXIT.failed,
  JOURNAL_DAMAGED: EXIT.failed,
  POOL_MISSING: EXIT.failed,
  SLOT_UNKNOWN: EXIT.failed,
  SLOT_QUARANTINED: EXIT.failed,
  SETUP_FAILED: EXIT.failed,
  RESCUE_FAILED: EXIT.failed,
  RESCUE_UNKNOWN: EXIT.failed,
  UNHEALTHY: EXIT.failed,
  UNDO_REFUSED: EXIT.failed,
  MERGE_DECLINED: EXIT.failed,
  POOL_EXHAUSTED: EXIT.retry,
  POOL_BUSY: EXIT.retry,
  DISK_LOW: EXIT.retry,
  LEASE_HELD: EXIT.retry,
  BRANCH_IN_USE: EXIT.retry,
  RUN_LIVE: EXIT.retry,
  LOCK_TIMEOUT: EXIT.retry,
  FENCED: EXIT.refused,
  CALLER_REFUSED: EXIT.refused,
  TASKS_FAILED: EXIT.refused,
  TASK_REJECTED: EXIT.refused,
  VERIFICATION_FAILED: EXIT.refused,
  TARGET_MOVED: EXIT.refused,
  QA_BLOCKED: EXIT.person,
  SETTINGS_UNKNOWN: EXIT.person,
  CONFLICT: EXIT.person,
  CHECKOUT_WAITS: EXIT.person,
  INTERRUPTED: 130,
  INTERNAL: EXIT.defect,
} as const satisfies Record<string, ExitCode>;

export type ErrorCode = keyof typeof ERROR_EXITS;

export type ErrorParts = {
  /** What happened, one sentence. */
  message: string;
  /** Why, one sentence or a short list. */
  because: string;
  /** What to do next; a command where there is one. */
  try: string;
  /** Machine-readable facts for `--json`. */
  details?: Record<string, unknown>;
  cause?: unknown;
};

/** The one error class that leaves a module on purpose. Anything else that reaches the CLI is a defect (exit 70). */
export class GraftworkError extends Error {
  readonly code: ErrorCode;
  readonly because: string;
  readonly try: string;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "GraftworkError";
    this.code = code;
    this.because = parts.because;
    this.try = parts.try;
    this.details = parts.details ?? {};
  }

  get exitCode(): ExitCode {
    return ERROR_EXITS[this.code];
  }
}

/** The exit code of several outcomes together: the highest of 70, 5, 4, 3, else the first that is not 0. */
export function worstExit(codes: readonly ExitCode[]): ExitCode {
  for (const code of [EXIT.defect, EXIT.person, EXIT.refused, EXIT.retry]) if (codes.includes(code)) return code;
  return codes.find((code) => code !== EXIT.ok) ?? EXIT.ok;
}

/** The `code` of a Node system error (ENOENT, ENOSPC, …), else undefined. */
export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}
