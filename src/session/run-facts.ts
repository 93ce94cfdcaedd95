import type { FailureKind, LandedTask, Plan, RunEvent, Usage, Verdict } from "../domain/index.ts";

export type TaskStatus =
  | "pending"
  | "in_progress"
  | "ready_for_qa"
  | "qa_approved"
  | "qa_rejected"
  | "qa_blocked"
  | "merging"
  | "done"
  | "pending_retry"
  | "failed"
  | "skipped"
  | "conflict";

/** What the limits allow; part of the fold's arguments, so that the same lines give the same facts. */
export type RunLimits = {
  /** Attempts after the first, where the task says nothing. */
  retries: number;
  /** What is tried for a task's conflicts before a person is asked, in order, each once. */
  onConflict: readonly ConflictStep[];
};

/** `rerun`: its own agent does the task again on the new base; `agent`: a resolver agent merges what collides. */
export type ConflictStep = "rerun" | "agent";

export type TaskFacts = {
  id: string;
  status: TaskStatus;
  /** Attempts started. */
  attempts: number;
  /** Failed attempts that count against the limit. */
  failures: number;
  /** What was tried for its conflicts. */
  tried: readonly ConflictStep[];
  branch: string | null;
  /** The slot that the task holds; null: none. */
  slot: string | null;
  token: number | null;
  /** The slot of its last attempt by its own agent; null: none yet. Only there can the conversation be resumed. */
  lastSlot: string | null;
  /** Where its branch began. */
  base: string | null;
  /** The commit that the last attempt named. */
  commit: string | null;
  session: string | null;
  /** Files outside the task's own that its agent left uncommitted, and that are in no commit. */
  leftOut: readonly string[];
  usage: Usage | null;
  /** The agent's closing words or its commits' subjects. */
  summary: string;
  failure: FailureKind | null;
  /** Why it is where it is: for the next brief, for people. */
  lastError: string | null;
  verdict: Verdict | null;
  landed: LandedTask | null;
  /** What is to be done with its branch after landing was done. */
  branchSettled: boolean;
  /** Set where the next attempt, if there is one, begins anew on the current base, with this diff (from..to) as a hint. */
  rerun: { from: string; to: string; paths: readonly string[] } | null;
  /** Set where the next attempt, or the one under way, is that of a resolver agent: the target's commit that it collides with. */
  resolve: { onto: string } | null;
  /** What the resolver agent left, where that was of no use. */
  resolverLeft: string | null;
  /** Paths of the last conflict. */
  conflictPaths: readonly string[];
  packet: string | null;
  startedAt: string | null;
  endedAt: string | null;
  rateLimited: number;
  durationMs: number;
};

export type Landing = Omit<Extract<RunEvent, { type: "landing" }>, "type">;

export type RunFacts = {
  run: string;
  target: string;
  /** The target when the run began. */
  base: string;
  mode: "all" | "one-group";
  merge: boolean;
  startedAt: string;
  tasks: ReadonlyMap<string, TaskFacts>;
  /** Group → the commit it began at, and its checkpoint's status. */
  groups: ReadonlyMap<
    number,
    { base: string; checkpoint: "complete" | "partial" | "failed" | null; startedAt: string; landedTo: string | null }
  >;
  /** A landing that was begun and not yet said to be done. */
  openLanding: Landing | null;
  /** Merged and verified, but the target could not move there yet. */
  waiting: { from: string; to: string; tasks: readonly LandedTask[]; reason: string; command: string } | null;
  landings: readonly { from: string; to: string; tasks: readonly LandedTask[] }[];
  warnings: readonly string[];
  undone: boolean;
  /** Exit code; null while the run is unfinished. */
  ended: number | null;
  endedAt: string | null;
  lastAt: string;
  /** Groups checkpointed since the run was started or resumed: what `one-group` counts. */
  checkpointsThisSession: number;
};

export function freshTask(id: string): TaskFacts {
  return {
    id,
    status: "pending",
    attempts: 0,
    failures: 0,
    tried: [],
    branch: null,
    slot: null,
    token: null,
    lastSlot: null,
    base: null,
    commit: null,
    session: null,
    leftOut: [],
    usage: null,
    summary: "",
    failure: null,
    lastError: null,
    verdict: null,
    landed: null,
    branchSettled: false,
    rerun: null,
    resolve: null,
    resolverLeft: null,
    conflictPaths: [],
    packet: null,
    startedAt: null,
    endedAt: null,
    rateLimited: 0,
    durationMs: 0,
  };
}

/** Statuses from which nothing more happens by itself. */
export function isSettled(status: TaskStatus): boolean {
  return status === "done" || status === "failed" || status === "skipped" || status === "conflict" || status === "qa_blocked";
}

/** What is said of a task: one that had landed is not done any more once its run was undone. */
export function shownStatus(facts: RunFacts, task: TaskFacts): TaskStatus | "undone" {
  return facts.undone && task.landed !== null ? "undone" : task.status;
}

/** Retries a task may use. */
export function retryLimit(plan: Plan, id: string, limits: RunLimits): number {
  return plan.tasks.find((task) => task.id === id)?.retries ?? limits.retries;
}
