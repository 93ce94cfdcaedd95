/** `<promise>NAME: id</promise>` in an agent's output. Hints: the truth is the exit code and git. */
export const SIGNALS = ["READY_FOR_QA", "TASK_DONE", "TASK_FAILED", "TASK_BLOCKED"] as const;
export type Signal = (typeof SIGNALS)[number];

/** Tokens and money as the client reports them. Cumulative over a conversation: take the maximum, never a sum. */
export type Usage = { inputTokens: number; outputTokens: number; costUsd: number | null };

/** What one run of an agent's process looked like from outside, before git is asked. */
export type AgentReport = {
  ended: "exited" | "timeout" | "idle-timeout" | "interrupted" | "not-started";
  exitCode: number | null;
  signal: string | null;
  /** The client's own last word; null where its output format has none. */
  final: "success" | "error" | "none" | null;
  /** The last signal for the agent's own task, with the text beside it. */
  promise: { name: Signal; reason: string } | null;
  /** The client's conversation id, for a resume. */
  session: string | null;
  usage: Usage | null;
  /** The agent's closing words, cleaned, at most some hundred characters; empty where there are none. */
  lastWords: string;
  permissionDenials: readonly string[];
  rateLimited: boolean;
  /** Why it could not be started, or the last lines of its output. */
  detail: string;
  durationMs: number;
};

/** Why an attempt did not succeed. */
export type FailureKind =
  | "crashed"
  | "timeout"
  | "idle-timeout"
  | "not-started"
  | "did-nothing"
  | "reported-failure"
  | "permission-denied"
  | "outside-slot"
  | "secret"
  | "lease-lost"
  | "interrupted"
  | "not-resolved"
  | "qa-rejected"
  | "train-rejected";

/** What an attempt came to. `ready` names a commit that git has and a ref keeps. */
export type Outcome =
  | {
      kind: "ready";
      commit: string;
      summary: string;
      notes: readonly string[];
      /** Uncommitted files outside the task's `files`; absent if there are none. */
      leftOut?: readonly string[];
    }
  | { kind: "failed"; failure: FailureKind; reason: string; retry: boolean }
  /** The slot could not be made ready: the machine's trouble. No agent was started, so it costs no retry. */
  | { kind: "unready"; reason: string }
  | { kind: "rate-limited"; reason: string }
  /** Ended from outside (Ctrl-C, the coordinator's death): costs no retry. */
  | { kind: "interrupted"; reason: string }
  /** `startOver`: the next attempt begins at the target, not on the branch of this one. */
  | { kind: "blocked"; reason: string; startOver?: true };
