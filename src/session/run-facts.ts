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
  /** Attempts after the first, if the task does not say how many. */
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
  /** The reason of its status, for the next brief and for people. */
  lastError: string | null;
  verdict: Verdict | null;
  landed: LandedTask | null;
  /** What is to be done with its branch after landing was done. */
  branchSettled: boolean;
  /** The depended-on task for which this one was skipped; null if nothing skipped it, or a person did. */
  skippedFor: string | null;
  /** What a person was asked to answer or decide when it was skipped for another task; null if nothing. */
  asked: string | null;
  /** Its checks rejected it for good on this target: it is looked at once more when the others are at rest. */
  secondLook: { base: string } | null;
  /** The target of its newest second look: on that one there is no other. */
  lookedAt: string | null;
  /** The commit and the target of the newest rejection; null once the agent has made another commit. */
  rejected: { commit: string; base: string } | null;
  /** The approved commit of before a rerun, and its conflict: what is left if the rerun fails. */
  fallback: Fallback | null;
  /** How often in a row its slot could not be made ready. */
  unready: number;
  /** Set if the next attempt starts again on the current base, with this diff (from..to) as a hint. */
  rerun: { from: string; to: string; paths: readonly string[] } | null;
  /** Set if a resolver agent makes the next attempt, or the one under way: the target's commit that the work collides with. */
  resolve: { onto: string } | null;
  /** Why the resolver agent's work could not be used; null if it could, or there was none. */
  resolverLeft: string | null;
  /**
   * What a person is needed for: to `merge` what collides, to take a `decision` that no merge can show, or to `answer`
   * its agent. Null if nobody is needed.
   */
  personFor: "merge" | "decision" | "answer" | null;
  /** The commit in which a person resolved a conflict, and the target's commit that it was resolved on. */
  decided: { commit: string; onto: string } | null;
  /** Paths of the last conflict. */
  conflictPaths: readonly string[];
  packet: string | null;
  startedAt: string | null;
  endedAt: string | null;
  rateLimited: number;
  durationMs: number;
};

export type Fallback = { commit: string; base: string | null; onto: string; paths: readonly string[]; reason: string };

/** Tries of making a slot ready, with pauses between them, before the run is blocked. */
export const READY_TRIES = 4;

export type Landing = Omit<Extract<RunEvent, { type: "landing" }>, "type">;

export type RunFacts = {
  run: string;
  /** The plan in effect: the one that the run began with, or the newest one that it was given since. */
  plan: Plan;
  target: string;
  /** The target when the run began. */
  base: string;
  /** Commits that the run saw the target at, the last one last. */
  seen: readonly string[];
  /** Commits that waited for the target: work began on them as well. */
  waited: readonly string[];
  mode: "all" | "one-group";
  merge: boolean;
  /** Set if this session does nothing but land these approved tasks. */
  landOnly: readonly string[] | null;
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
  waiting: { from: string; to: string; tasks: readonly LandedTask[]; reason: string; command: string | null } | null;
  landings: readonly { from: string; to: string; tasks: readonly LandedTask[] }[];
  warnings: readonly string[];
  /** Verifications disturb each other here, so only one runs at a time. */
  verifyAlone: boolean;
  /** Why no agent can start in this session; null if nothing is in the way. */
  environment: string | null;
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
    skippedFor: null,
    asked: null,
    secondLook: null,
    lookedAt: null,
    rejected: null,
    fallback: null,
    unready: 0,
    landed: null,
    branchSettled: false,
    rerun: null,
    resolve: null,
    resolverLeft: null,
    personFor: null,
    decided: null,
    conflictPaths: [],
    packet: null,
    startedAt: null,
    endedAt: null,
    rateLimited: 0,
    durationMs: 0,
  };
}

/** Statuses from which a task goes on only by a person's word. */
export function isSettled(status: TaskStatus): boolean {
  return status === "done" || status === "failed" || status === "skipped" || status === "conflict" || status === "qa_blocked";
}

/** What is said of a task: one that had landed is not done any more once its run was undone. */
export function shownStatus(facts: RunFacts, task: TaskFacts): TaskStatus | "undone" {
  return facts.undone && task.landed !== null ? "undone" : task.status;
}

/** At its end: finished, or undone. Nothing of it is tried again. */
export function isOver({ ended, undone }: Pick<RunFacts, "ended" | "undone">): boolean {
  return ended !== null || undone;
}

/** In the target, or in the verified commit that waits for its checkout: what depends on the task may begin. */
export function isAvailable(facts: RunFacts, id: string): boolean {
  return facts.tasks.get(id)?.status === "done" || awaitsCheckout(facts, id);
}

/** In the verified commit that waits for the target's checkout. */
export function awaitsCheckout({ waiting }: Pick<RunFacts, "waiting">, id: string): boolean {
  return waiting?.tasks.some((one) => one.task === id) ?? false;
}

/** Retries a task may use. */
export function retryLimit(plan: Plan, id: string, limits: RunLimits): number {
  return plan.tasks.find((task) => task.id === id)?.retries ?? limits.retries;
}
