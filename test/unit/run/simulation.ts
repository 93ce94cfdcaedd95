import type { Decision, Plan, RunEvent, Task, Verdict } from "../../../src/domain/index.ts";
import { type Job, jobKey, nextJobs } from "../../../src/run/next-jobs.ts";
import { foldLine, foldRun, type RunFacts, type RunLimits } from "../../../src/session/index.ts";
import { planOf, task } from "../plan/plan-fixture.ts";

export const aTask = (id: string, dependsOn: readonly string[] = [], more: Partial<Task> = {}): Task => task(id, { dependsOn, ...more });

export const aPlan = (tasks: readonly Task[]): Plan => planOf(...tasks);

/** Groups by level, as the plan module makes them, without its splitting. */
export function levels(plan: Plan, agents: number): Decision {
  const level = new Map<string, number>();
  for (const task of plan.tasks) level.set(task.id, 1 + Math.max(0, ...task.dependsOn.map((id) => level.get(id) ?? 0)));
  const numbers = [...new Set(level.values())].sort((a, b) => a - b);
  return {
    mode: "PARALLEL",
    reason: "",
    agents,
    warnings: [],
    groups: numbers.map((n) => ({ number: n, tasks: plan.tasks.filter((task) => level.get(task.id) === n).map((task) => task.id) })),
  };
}

export const verdictOf = (label: string, decision: Verdict["decision"], commit: string): Verdict => ({
  decision,
  label,
  commit,
  base: "b",
  tree: "t",
  key: "k",
  reason: decision,
  checks: [],
  install: "none",
  at: "",
});

/** What the world answers to a job: chosen by the test. */
export type World = {
  attempt: (task: string, n: number) => "ready" | "crash" | "blocked";
  verify: (task: string, n: number) => Verdict["decision"] | "conflict";
  /** `cut-off`: killed when the train was verified, and the last one's conflict said. */
  land: (tasks: readonly string[]) => "all" | "eject-last" | "conflict-last" | "cut-off";
  pick: (n: number) => number;
};

export type Simulated = { facts: RunFacts; events: RunEvent[]; mostAgents: number; log: string[] };

/** Runs the engine's loop without effects: jobs end one at a time, in the order that the world picks. */
export function simulate(
  plan: Plan,
  decision: Decision,
  world: World,
  options: { mode?: "all" | "one-group"; schedule?: "groups" | "eager"; limits?: RunLimits; from?: RunFacts; merge?: boolean } = {},
): Simulated {
  const limits = options.limits ?? { retries: 3, onConflict: ["rerun"] };
  const first: RunEvent = {
    type: "run-started",
    run: "r",
    plan: "p",
    planDigest: "d",
    target: "main",
    base: "b0",
    mode: options.mode ?? "all",
    merge: options.merge ?? true,
  };
  let seq = 1;
  let facts = options.from ?? foldRun([{ seq, epoch: 1, at: "2026-01-01T00:00:00Z", event: first }], plan, limits);
  const events: RunEvent[] = [];
  const log: string[] = [];
  const emit = (event: RunEvent): void => {
    seq += 1;
    events.push(event);
    facts = foldLine(facts, { seq, epoch: 1, at: "2026-01-01T00:00:00Z", event }, plan, limits);
  };
  const running = new Map<string, Job>();
  let mostAgents = 0;
  for (let steps = 0; ; steps++) {
    if (steps > 5_000) throw new Error(`no end: ${log.slice(-20).join("; ")}`);
    const jobs = nextJobs({
      plan,
      decision,
      facts,
      running: new Set(running.keys()),
      schedule: options.schedule ?? "groups",
      verifications: 2,
      resting: new Set(),
      defaultAgent: "mock",
      resolverAgent: "mock",
    });
    for (const job of jobs) running.set(jobKey(job), job);
    mostAgents = Math.max(mostAgents, [...running.keys()].filter((key) => key.startsWith("attempt ")).length);
    if (running.size === 0) return { facts, events, mostAgents, log };
    const keys = [...running.keys()];
    const key = keys[world.pick(keys.length) % keys.length] ?? keys[0] ?? "";
    const job = running.get(key);
    log.push(key);
    if (job !== undefined) finish(job, () => facts, emit, world);
    running.delete(key);
  }
}

function finish(job: Job, facts: () => RunFacts, emit: (event: RunEvent) => void, world: World): void {
  const task = "task" in job ? facts().tasks.get(job.task) : undefined;
  if (job.kind === "start-group") emit({ type: "group-started", group: job.group, base: "b" });
  if (job.kind === "checkpoint") emit({ type: "checkpoint", group: job.group, status: job.status });
  if (job.kind === "packet") emit({ type: "packet", task: job.task, folder: "f" });
  if (job.kind === "release") emit({ type: "slot-released", task: job.task, slot: "wt-1", rescue: null });
  if (job.kind === "release" && task?.landed != null) emit({ type: "branch-deleted", task: job.task, branch: "b", commit: "t" });
  if (job.kind === "attempt" && task !== undefined) attempt(job.task, task.attempts + 1, task.resolve?.onto, emit, world);
  if (job.kind === "verify" && task?.commit != null) verify(job.task, task.commit, task.attempts, emit, world);
  if (job.kind === "land") land(job.tasks, emit, world);
}

function attempt(task: string, n: number, resolves: string | undefined, emit: (event: RunEvent) => void, world: World): void {
  emit({
    type: "attempt-started",
    task,
    attempt: n,
    slot: "wt-1",
    token: n,
    branch: `auto/${task}`,
    base: "b",
    agent: "mock",
    log: "l",
    ...(resolves !== undefined && { resolves }),
  });
  const answer = world.attempt(task, n);
  const outcome =
    answer === "ready"
      ? ({ kind: "ready", commit: `${task}@${n}`, summary: "", notes: [] } as const)
      : answer === "crash"
        ? ({ kind: "failed", failure: "crashed", reason: "x", retry: true } as const)
        : ({ kind: "blocked", reason: "x" } as const);
  emit({ type: "attempt-ended", task, attempt: n, outcome, session: null, usage: null, durationMs: 1 });
}

function verify(task: string, commit: string, n: number, emit: (event: RunEvent) => void, world: World): void {
  const answer = world.verify(task, n);
  if (answer === "conflict") emit({ type: "conflict", task, commit, base: "b", paths: ["f"], against: [] });
  else emit({ type: "verdict", task, verdict: verdictOf(task, answer, commit) });
}

function land(tasks: readonly string[], emit: (event: RunEvent) => void, world: World): void {
  const answer = world.land(tasks);
  const last = tasks.at(-1) ?? "";
  const kept = answer === "all" ? tasks : tasks.slice(0, -1);
  if (answer === "conflict-last" || answer === "cut-off")
    emit({ type: "conflict", task: last, commit: "c", base: "b", paths: ["f"], against: kept });
  const landed = kept.map((task) => ({ task, branch: `auto/${task}`, branchTip: "t", merge: "m" }));
  if (landed.length > 0 || answer === "eject-last")
    emit({
      type: "train",
      base: "b",
      tip: "t",
      tasks: answer === "eject-last" ? [...landed, { task: last, branch: "", branchTip: "", merge: "" }] : landed,
    });
  if (answer === "eject-last") {
    emit({ type: "train-verdict", tip: "t", tasks: [...tasks], verdict: verdictOf("train", "rejected", "t") });
    emit({ type: "ejected", task: last, reason: "x", excerpt: "" });
  }
  if (landed.length > 0 && answer !== "cut-off") emit({ type: "landed", from: "b", to: "t", tasks: landed });
}
