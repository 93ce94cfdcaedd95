import { isDeepStrictEqual } from "node:util";
import type { JournalLine, Plan, RunEvent, Task } from "../../../src/domain/index.ts";
import { exitOf, isFinished } from "../../../src/run/at-rest.ts";
import { approvedTasks } from "../../../src/run/land-approved.ts";
import { foldLine, foldRun, isOver, type RunFacts, type RunLimits } from "../../../src/session/index.ts";
import {
  aPlan,
  aTask,
  firstLine,
  levels,
  type Options,
  type Session,
  type Simulated,
  simulate,
  stuckIn,
  type World,
} from "./simulation.ts";

/** Thrown in the middle of a session: its process is killed there. */
class Killed extends Error {}

const SESSIONS = 7;
const CONFLICT_STEPS: readonly [RunLimits["onConflict"], ...RunLimits["onConflict"][]] = [
  [],
  ["rerun"],
  ["rerun", "agent"],
  ["agent", "rerun"],
  ["agent"],
];
const ONE_OF = <T>(roll: (n: number) => number, values: readonly [T, ...T[]]): T => values[roll(values.length)] ?? values[0];

/** A random number source that gives the same numbers for the same seed (mulberry32). */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

export type Life = {
  /** What broke a promise, in words. */
  faults: string[];
  /** What happened in it, for the counts: `waits`, `kill`, `replan`, … */
  seen: ReadonlySet<string>;
  landings: number;
};

/**
 * One run from its plan to its end, over several sessions: agents, QA, trains, the user's checkout, people and kills
 * answer at random. Says which of the promises below did not hold.
 */
export function live(seed: number, log: (line: RunEvent) => void = () => undefined): Life {
  const roll = dice(seed);
  const faults: string[] = [];
  const seen = new Set<string>();
  const schedule = ONE_OF(roll, ["groups", "eager"] as const);
  const options: Options = {
    schedule,
    mode: roll(4) === 0 ? "one-group" : "all",
    merge: roll(5) !== 0,
    slots: 1 + roll(4),
    limits: { retries: roll(3), onConflict: ONE_OF(roll, CONFLICT_STEPS) },
  };
  const { limits = { retries: 0, onConflict: [] } } = options;
  const agents = 1 + roll(4);
  const begun = randomPlan(roll);
  const lines: JournalLine[] = [firstLine(options)];
  let facts = foldRun(lines, begun, limits);
  let target = 0;
  const starts = new Map<string, number>();
  const say = (event: RunEvent): void => {
    const line: JournalLine = { seq: lines.length + 1, epoch: 1, at: "2026-01-01T00:00:00Z", event };
    lines.push(line);
    log(event);
    facts = foldLine(facts, line, limits);
  };
  const allowance = new Map<string, number>();
  const allow = (task: string, n: number): void => void allowance.set(task, (allowance.get(task) ?? 0) + n);
  const retriesOf = (task: string): number => facts.plan.tasks.find(({ id }) => id === task)?.retries ?? limits.retries;

  for (const { id } of begun.tasks) allow(id, 1 + retriesOf(id));
  for (let n = 0; n < SESSIONS && !isOver(facts); n++) {
    const killAt = roll(3) === 0 ? roll(40) : Number.POSITIVE_INFINITY;
    const before = lines.length;
    const end = session(facts, { roll, options: { ...options, target }, agents, killAt, limits, seen });
    target = end.target;
    for (const event of end.events) {
      if (event.type === "attempt-started") starts.set(event.task, (starts.get(event.task) ?? 0) + 1);
      if (event.type === "attempt-ended" && ["rate-limited", "interrupted"].includes(event.outcome.kind)) allow(event.task, 1);
      say(event);
    }
    faults.push(...end.illegal.map((text) => `session ${n}: landed ${text}`));
    if (!isDeepStrictEqual(facts, end.facts)) faults.push(`session ${n}: replay differs from what was live`);
    if (end.killed) seen.add("kill");
    else {
      if (facts.mode === "all") faults.push(...stuckIn(facts).map((text) => `session ${n}: ${text} when it ended`));
      if (isFinished(facts)) say({ type: "run-ended", exit: exitOf(facts) });
      else if (end.events.length === 0 && exitOf(facts) === 0 && n > 0 && before > 1)
        faults.push(`session ${n}: nothing was done, and no person was asked (exit 0)`);
    }
    if (isOver(facts)) break;
    people({ roll, say, facts: () => facts, seen, allow, retriesOf });
    say({
      type: "run-resumed",
      mode: facts.mode,
      ...(roll(8) === 0 && approvedTasks(facts).length > 0 ? { land: approvedTasks(facts) } : {}),
    });
    if (lookAt({ roll, say, facts: () => facts, seen })) target += 1;
  }
  for (const [task, times] of starts) {
    const { tried = [] } = facts.tasks.get(task) ?? {};
    const most = (allowance.get(task) ?? 0) + tried.length;
    if (times > most) faults.push(`${task} was started ${times} times, ${most} allowed`);
  }
  if (!isDeepStrictEqual(foldRun(lines, begun, limits), facts)) faults.push("replay of the whole journal differs from what was live");
  return { faults, seen, landings: lines.filter(({ event }) => event.type === "landed").length };
}

type Chances = { roll: (n: number) => number; say: (event: RunEvent) => void; facts: () => RunFacts; seen: Set<string> };

function session(
  from: RunFacts,
  {
    roll,
    options,
    agents,
    killAt,
    limits,
    seen,
  }: {
    roll: (n: number) => number;
    options: Options;
    agents: number;
    killAt: number;
    limits: RunLimits;
    seen: Set<string>;
  },
): Pick<Simulated, "facts" | "events" | "illegal" | "target"> & { killed: boolean } {
  let steps = 0;
  let live: Session | undefined;
  const events: RunEvent[] = [];
  const note = <T extends string>(answer: T): T => {
    seen.add(answer);
    return answer;
  };
  const world: World = {
    attempt: () =>
      note(ONE_OF(roll, ["ready", "ready", "ready", "ready", "crash", "blocked", "nothing", "rate-limited", "unready"] as const)),
    verify: () => note(ONE_OF(roll, ["approved", "approved", "approved", "approved", "rejected", "blocked", "conflict"] as const)),
    land: () =>
      note(
        ONE_OF(roll, [
          "all",
          "all",
          "all",
          "waits",
          "eject-last",
          "eject-first",
          "block-last",
          "conflict-last",
          "conflict-first",
          "cut-off",
        ] as const),
      ),
    secondLook: () => note(ONE_OF(roll, ["approved", "rejected", "conflict"] as const)),
    pick: (n) => {
      if (steps++ >= killAt) throw new Killed();
      return roll(n);
    },
    meddle: (session) => {
      live = session;
      if (roll(12) !== 0) return;
      seen.add("target moved");
      session.moveTarget();
    },
  };
  try {
    const end = simulate(from.plan, levels(from.plan, agents), world, { ...options, from, limits, onEvent: (event) => events.push(event) });
    return { facts: end.facts, events, illegal: end.illegal, target: end.target, killed: false };
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return { facts: live?.facts() ?? from, events, illegal: [], target: live?.target() ?? options.target ?? 0, killed: true };
  }
}

/** What a person does between two sessions. */
function people({
  roll,
  say,
  facts,
  seen,
  allow,
  retriesOf,
}: Chances & { allow: (task: string, n: number) => void; retriesOf: (task: string) => number }): void {
  for (const { id, status, skippedFor } of facts().tasks.values()) {
    if (roll(2) === 0 || skippedFor !== null) continue;
    if (status === "conflict") {
      const how = ONE_OF(roll, ["commit", "skip", "retry"] as const);
      seen.add(`resolve ${how}`);
      if (how === "retry") allow(id, 1 + retriesOf(id));
      say({ type: "resolved", task: id, how, commit: how === "commit" ? `${id}@hand` : null, reason: "by hand" });
    } else if ((status === "failed" || status === "skipped") && roll(2) === 0) {
      seen.add("retry");
      allow(id, 1 + retriesOf(id));
      say({ type: "resolved", task: id, how: "retry", commit: null, reason: "again" });
    }
  }
  if (roll(5) === 0) {
    seen.add("replan");
    const plan = changedPlan(roll, facts());
    for (const { id } of plan.tasks) if (!facts().tasks.has(id)) allow(id, 1 + retriesOf(id));
    say({ type: "replanned", plan, digest: "d2" });
  }
  if (roll(25) === 0 && facts().landings.length > 0) {
    seen.add("undo");
    say({ type: "undone", from: "x", to: "b0" });
    say({ type: "run-ended", exit: 0 });
  }
}

/** What a session finds at its start: landed work that the target lost, and work that somebody merged. True if the target moved. */
function lookAt({ roll, say, facts, seen }: Chances): boolean {
  const found: RunEvent[] = [];
  for (const { id, status, commit, branch } of facts().tasks.values()) {
    if (status === "done" && roll(10) === 0) {
      seen.add("rewind");
      found.push({ type: "taken-back", task: id, at: "r", reason: "the target lost it" });
    } else if (commit !== null && branch !== null && status !== "done" && status !== "in_progress" && roll(12) === 0) {
      seen.add("merged by hand");
      found.push({ type: "merged-elsewhere", at: "h", tasks: [{ task: id, branch, branchTip: commit, merge: commit }] });
    }
  }
  if (found.length > 0 && facts().waiting !== null) say({ type: "landing-void", reason: "main moved" });
  for (const event of found) say(event);
  return found.length > 0;
}

function randomPlan(roll: (n: number) => number): Plan {
  const size = 1 + roll(8);
  const tasks: Task[] = [];
  for (let n = 0; n < size; n++) {
    const deps = n === 0 ? [] : [...new Set(Array.from({ length: roll(3) }, () => `t${roll(n)}`))];
    const retries = roll(4) === 0 ? roll(3) : null;
    tasks.push(aTask(`t${n}`, deps, { retries, ...(roll(4) === 0 && { contention: "EXCLUSIVE" as const }) }));
  }
  // A plan may list dependents first.
  return aPlan(
    tasks
      .map((task) => ({ task, at: roll(100) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ task }) => task),
  );
}

/** Another check for all, or one more task behind some of the others. */
function changedPlan(roll: (n: number) => number, { plan }: RunFacts): Plan {
  if (roll(2) === 0) return { ...plan, verification: [{ name: `c${roll(99)}`, run: "true", timeoutMs: 1, history: false }] };
  const behind = plan.tasks.filter(() => roll(4) === 0).map(({ id }) => id);
  return { ...plan, tasks: [...plan.tasks, aTask(`n${plan.tasks.length}`, behind)] };
}
