import type { Outcome, Usage } from "./outcome.ts";
import type { Plan } from "./plan.ts";
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
  /** `land`: this session only lands these approved tasks. */
  | { type: "run-resumed"; mode: "all" | "one-group"; land?: readonly string[] }
  /** The plan that counts from here on. */
  | { type: "replanned"; plan: Plan; digest: string }
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
      log: string;
      /** The target's commit with which it resolves the task's conflict; absent where it does the task itself. */
      resolves?: string;
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
  | { type: "verdict"; task: string; verdict: Verdict }
  /** The task's commit does not merge: with the target (`against` empty) or with tasks ahead of it in the train. */
  | {
      type: "conflict";
      task: string;
      commit: string;
      base: string;
      paths: readonly string[];
      against: readonly string[];
      reason?: string;
      /** No agent is asked: only a person can say what is meant. */
      person?: true;
      /** The work changes what only a person lets in. */
      isProtected?: true;
      /** The next attempt begins at the target. Its agent is shown nothing of this work. */
      startOver?: true;
    }
  /** `onto`: the target, or the landing that waits for it, that the packet is about. */
  | { type: "packet"; task: string; folder: string; onto?: string }
  /** Green alone, red with the tasks ahead of it in the train. `base`: the target then. `blocked`: the environment is in the way. */
  | { type: "ejected"; task: string; reason: string; excerpt: string; base?: string; blocked?: true }
  /**
   * A task that QA rejected for good, verified again on a later target. Without a verdict the target has not moved since,
   * or the work collides with it (`reason`): the task has failed.
   */
  | { type: "second-look"; task: string; base: string; verdict: Verdict | null; reason?: string }
  /** The target holds the work, by another hand than this run's. */
  | { type: "merged-elsewhere"; at: string; tasks: readonly LandedTask[] }
  /** The target held the task's work and holds it no longer. */
  | { type: "taken-back"; task: string; at: string; reason: string }
  /** `onto`: the target's commit on which a person made the commit. */
  | { type: "resolved"; task: string; how: "commit" | "skip" | "retry"; commit: string | null; reason: string; onto?: string }
  | { type: "train"; base: string; tip: string; tasks: readonly LandedTask[] }
  | { type: "train-verdict"; tip: string; tasks: readonly string[]; verdict: Verdict }
  /** Written before the target moves; without a `landed` behind it the move is looked at again. */
  | {
      type: "landing";
      target: string;
      from: string;
      to: string;
      checkout: string | null;
      tasks: readonly LandedTask[];
      /** The files are moved one by one, with a note beside them: no note, nothing was touched. */
      byFile?: true;
    }
  | { type: "landed"; from: string; to: string; tasks: readonly LandedTask[] }
  /** Verified and merged at `refs/graftwork/merged/<run>`, but the target could not move there yet. */
  /** `command` takes it; null if no command can at present. */
  | { type: "landing-waits"; from: string; to: string; tasks: readonly LandedTask[]; reason: string; command: string | null }
  /** The target went elsewhere: what waited is merged and verified anew. */
  | { type: "landing-void"; reason: string }
  | { type: "checkpoint"; group: number; status: "complete" | "partial" | "failed" }
  | { type: "slot-released"; task: string; slot: string; rescue: string | null }
  | { type: "branch-deleted"; task: string; branch: string; commit: string }
  | { type: "branch-kept"; task: string; branch: string; reason: string }
  | { type: "warning"; task: string | null; text: string }
  | { type: "undone"; from: string; to: string }
  | { type: "run-ended"; exit: number };

/** `merge` is the first-parent commit of the target that brought the task in; `branchTip` what the branch pointed to. */
export type LandedTask = {
  task: string;
  branch: string;
  branchTip: string;
  merge: string;
  /** Files that git could not merge and rules did; absent where there were none. */
  resolved?: readonly ResolvedFile[];
};

/** A conflicted file that was resolved without a person, and by which rules. */
export type ResolvedFile = { path: string; rules: readonly string[] };

/** One line of a journal. `seq` rises by one over all epochs of a run; `at` is ISO 8601 and decides nothing. */
export type JournalLine = { seq: number; epoch: number; at: string; event: RunEvent };
