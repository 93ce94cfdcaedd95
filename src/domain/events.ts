import type { FailureKind, Outcome, Usage } from "./outcome.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Everything that can happen in a run. The run's state is a fold over these; terminal, `--json`, progress file,
 * checkpoints and tests read the same stream. A new kind of fact is a new member here, nowhere else.
 */
export type RunEvent =
  | {
      type: "run-started";
      run: string;
      plan: string;
      planDigest: string;
      target: string;
      base: string;
      mode: "all" | "one-group";
      merge: boolean;
    }
  | { type: "run-resumed"; owner: string }
  | { type: "group-started"; group: number; base: string }
  | {
      type: "attempt-started";
      task: string;
      attempt: number;
      slot: string;
      token: number;
      branch: string;
      base: string;
      agent: string;
      brief: string;
      log: string;
    }
  | {
      type: "attempt-ended";
      task: string;
      attempt: number;
      outcome: Outcome;
      session: string | null;
      usage: Usage | null;
      durationMs: number;
    }
  | { type: "verdict"; task: string; attempt: number; verdict: Verdict }
  | {
      type: "conflict";
      task: string;
      commit: string;
      base: string;
      paths: readonly string[];
      next: "rerun" | "person";
      packet: string | null;
    }
  | { type: "task-retry"; task: string; failure: FailureKind | "conflict" | "by-hand"; reason: string; counts: boolean }
  | { type: "task-failed"; task: string; failure: FailureKind | "by-hand"; reason: string }
  | { type: "task-skipped"; task: string; reason: string }
  | { type: "task-blocked"; task: string; reason: string }
  | { type: "resolved"; task: string; how: "commit" | "skip" | "retry"; commit: string | null }
  | { type: "train-built"; group: number; base: string; tip: string; tasks: readonly string[] }
  | { type: "train-verified"; tip: string; tree: string; verdict: Verdict }
  | { type: "ejected"; task: string; reason: string }
  | { type: "landing"; from: string; to: string; checkout: string | null; tasks: readonly string[] }
  | { type: "landed"; from: string; to: string; tasks: readonly LandedTask[] }
  | { type: "landing-waits"; to: string; tasks: readonly LandedTask[]; reason: string; command: string }
  | { type: "checkpoint"; group: number; status: "complete" | "partial" | "failed" }
  | { type: "slot-released"; task: string; slot: string; rescue: string | null }
  | { type: "branch-deleted"; branch: string; commit: string }
  | { type: "warning"; task: string | null; text: string }
  | { type: "undone"; from: string; to: string }
  | { type: "run-ended"; exit: number };

/** `merge` is the first-parent commit of the target that brought the task in; `branchTip` what the branch pointed to. */
export type LandedTask = { task: string; branch: string; branchTip: string; merge: string };

/** One line of a journal. `seq` rises by one over all epochs of a run; `at` is ISO 8601 and decides nothing. */
export type JournalLine = { seq: number; epoch: number; at: string; event: RunEvent };
