import type { Decision, JournalLine, LandedTask, Plan, RunEvent, Task, Verdict } from "../../../src/domain/index.ts";
import { mergeOrder } from "../../../src/merge/order.ts";
import { settledTasks } from "../../../src/run/at-rest.ts";
import { type Job, jobKey, landableOf, nextJobs } from "../../../src/run/next-jobs.ts";
import { foldLine, foldRun, isAvailable, type RunFacts, type RunLimits } from "../../../src/session/index.ts";
import { planOf, task } from "../plan/plan-fixture.ts";

export const aTask = (id: string, dependsOn: readonly string[] = [], more: Partial<Task> = {}): Task => task(id, { dependsOn, ...more });

export const aPlan = (tasks: readonly Task[]): Plan => planOf(...tasks);

/** Groups by level, as the plan module makes them, without its splitting. */
export function levels(plan: Plan, agents: number): Decision {
  const level = new Map<string, number>();
  const levelOf = (id: string): number => {
    const known = level.get(id);
    if (known !== undefined) return known;
    const needs = plan.tasks.find((one) => one.id === id)?.dependsOn ?? [];
    const found = 1 + Math.max(0, ...needs.map(levelOf));
    level.set(id, found);
    return found;
  };
  for (const one of plan.tasks) levelOf(one.id);
  const numbers = [...new Set(level.values())].sort((a, b) => a - b);
  return {
    mode: "PARALLEL",
    reason: "",
    agents,
    warnings: [],
    groups: numbers.map((n) => ({ number: n, tasks: plan.tasks.filter((task) => level.get(task.id) === n).map((task) => task.id) })),
  };
}

export const verdictOf = (label: string, decision: Verdict["decision"], commit: string, base = "b"): Verdict => ({
  decision,
  label,
  commit,
  base,
  tree: "t",
  key: "k",
  reason: decision,
  checks: [],
  install: "none",
  at: "",
});

/** What the world answers to a job: chosen by the test. */
export type World = {
  attempt: (task: string, n: number) => "ready" | "crash" | "blocked" | "nothing" | "rate-limited" | "unready";
  verify: (task: string, n: number) => Verdict["decision"] | "conflict";
  /**
   * `cut-off`: killed when the train was verified, and the last one's conflict said. `waits`: the checkout is in the way.
   * `block-last`: the last one's check cannot run.
   */
  land: (
    tasks: readonly string[],
  ) => "all" | "eject-last" | "eject-first" | "block-last" | "conflict-last" | "conflict-first" | "cut-off" | "waits";
  secondLook?: (task: string) => "approved" | "rejected" | "conflict";
  pick: (n: number) => number;
  /** What people do between two jobs, in a session that goes on or is continued. */
  meddle?: (session: Session) => void;
};

export type Session = {
  facts: () => RunFacts;
  emit: (event: RunEvent) => void;
  /** Moves the target to a commit of somebody's own. */
  moveTarget: () => void;
  target: () => number;
};

export type Simulated = {
  facts: RunFacts;
  events: RunEvent[];
  mostAgents: number;
  log: string[];
  /** Landings of a task without something that it depends on. */
  illegal: string[];
  starts: ReadonlyMap<string, number>;
  target: number;
};

export type Options = {
  mode?: "all" | "one-group";
  schedule?: "groups" | "eager";
  limits?: RunLimits;
  from?: RunFacts;
  merge?: boolean;
  slots?: number;
  /** Where the target is; it moves on from there. */
  target?: number;
  /** Told of each event before it counts. */
  onEvent?: (event: RunEvent) => void;
};

type Sim = {
  facts: RunFacts;
  target: number;
  events: RunEvent[];
  illegal: string[];
  starts: Map<string, number>;
  emit: (event: RunEvent) => void;
};

/** The journal's first line of a simulated run. */
export function firstLine({ mode = "all", merge = true }: Options = {}): JournalLine {
  const event: RunEvent = { type: "run-started", run: "r", plan: "p", planDigest: "d", target: "main", base: "b0", mode, merge };
  return { seq: 1, epoch: 1, at: "2026-01-01T00:00:00Z", event };
}

/** Runs the engine's loop without effects: jobs end one at a time, in the order that the world picks. */
export function simulate(plan: Plan, decision: Decision, world: World, options: Options = {}): Simulated {
  const limits = options.limits ?? { retries: 3, onConflict: ["rerun"] };
  const sim: Sim = {
    facts: options.from ?? foldRun([firstLine(options)], plan, limits),
    target: options.target ?? 0,
    events: [],
    illegal: [],
    starts: new Map(),
    emit: (event) => {
      sim.events.push(event);
      options.onEvent?.(event);
      if (event.type === "landed" || event.type === "landing-waits") sim.illegal.push(...missingIn(sim.facts, event.tasks));
      if (event.type === "attempt-started") sim.starts.set(event.task, (sim.starts.get(event.task) ?? 0) + 1);
      sim.facts = foldLine(sim.facts, { seq: sim.events.length + 1, epoch: 1, at: "2026-01-01T00:00:00Z", event }, limits);
    },
  };
  const session: Session = { facts: () => sim.facts, emit: sim.emit, moveTarget: () => void (sim.target += 1), target: () => sim.target };
  const log: string[] = [];
  const running = new Map<string, Job>();
  let mostAgents = 0;
  for (let steps = 0; ; steps++) {
    if (steps > 5_000) throw new Error(`no end: ${log.slice(-20).join("; ")}`);
    world.meddle?.(session);
    const attempts = [...running.values()].filter(({ kind }) => kind === "attempt").length;
    const jobs = nextJobs({
      decision,
      facts: sim.facts,
      running: [...running.values()],
      schedule: options.schedule ?? "groups",
      verifications: 2,
      freeSlots: (options.slots ?? 100) - attempts,
      paused: false,
      resting: new Set(),
      defaultAgent: "mock",
      resolverAgent: "mock",
    });
    for (const job of jobs) running.set(jobKey(job), job);
    mostAgents = Math.max(mostAgents, [...running.values()].filter(({ kind }) => kind === "attempt").length);
    if (running.size === 0)
      return { facts: sim.facts, events: sim.events, mostAgents, log, illegal: sim.illegal, starts: sim.starts, target: sim.target };
    const keys = [...running.keys()];
    const key = keys[world.pick(keys.length) % keys.length] ?? keys[0] ?? "";
    const job = running.get(key);
    log.push(key);
    if (job !== undefined) finish(job, sim, world);
    running.delete(key);
  }
}

/** Tasks of a landing whose dependencies are neither available nor in it. */
export function missingIn(facts: RunFacts, tasks: readonly LandedTask[]): string[] {
  const landing = new Set(tasks.map((one) => one.task));
  return facts.plan.tasks
    .filter(({ id }) => landing.has(id))
    .flatMap(({ id, dependsOn }) =>
      dependsOn.filter((other) => !landing.has(other) && !isAvailable(facts, other)).map((other) => `${id} without ${other}`),
    );
}

/**
 * Tasks that a session which is over leaves without anybody to go on with them: neither at their end, nor waiting for a
 * person, nor for a task that is.
 */
export function stuckIn(facts: RunFacts): string[] {
  const settled = settledTasks(facts);
  const isForPerson = (id: string): boolean => {
    const status = facts.tasks.get(id)?.status ?? "done";
    if (status === "conflict" || status === "qa_blocked" || facts.environment !== null) return true;
    if (facts.waiting?.tasks.some(({ task }) => task === id) === true) return true;
    if ((status === "qa_approved" || status === "merging") && !facts.merge) return true;
    const needs = facts.plan.tasks.find((one) => one.id === id)?.dependsOn ?? [];
    return needs.some((other) => facts.tasks.get(other)?.status !== "done" && isForPerson(other));
  };
  const isAtEnd = (status: string): boolean => status === "done" || status === "failed" || status === "skipped";
  return [...facts.tasks.values()].flatMap(({ id, status }) =>
    isAtEnd(status) || (settled.has(id) && (facts.landOnly !== null || isForPerson(id))) ? [] : [`${id} is ${status}`],
  );
}

function finish(job: Job, sim: Sim, world: World): void {
  const { emit } = sim;
  const facts = (): RunFacts => sim.facts;
  const task = "task" in job ? facts().tasks.get(job.task) : undefined;
  lookAtTarget(sim);
  const base = facts().waiting?.to ?? `t${sim.target}`;
  if (job.kind === "start-group") emit({ type: "group-started", group: job.group, base });
  if (job.kind === "checkpoint") emit({ type: "checkpoint", group: job.group, status: job.status });
  if (job.kind === "packet" && task?.status === "conflict") emit({ type: "packet", task: job.task, folder: "f" });
  if (job.kind === "release" && task?.slot != null) emit({ type: "slot-released", task: job.task, slot: task.slot, rescue: null });
  if (job.kind === "release" && task?.landed != null) emit({ type: "branch-deleted", task: job.task, branch: "b", commit: "t" });
  if (job.kind === "attempt" && task !== undefined)
    attempt(job.task, task.attempts + 1, { base, resolves: task.resolve?.onto }, emit, world);
  if (job.kind === "settle-interrupted" && task !== undefined) settle(job.task, task.attempts, emit, world);
  if (job.kind === "verify" && task?.commit != null && task.status === "ready_for_qa")
    verify(job.task, task.commit, { n: task.attempts, base }, emit, world);
  if (job.kind === "land") land(inOrder(facts().plan, landableOf(facts(), new Set(job.tasks))), sim, world);
  if (job.kind === "second-look") for (const id of job.tasks) look(id, base, sim, world);
}

/** A landing that waited for a target that has moved is void. */
function lookAtTarget({ facts, target, emit }: Sim): void {
  if (facts.waiting !== null && facts.waiting.from !== `t${target}`) emit({ type: "landing-void", reason: "main moved" });
}

function look(id: string, base: string, sim: Sim, world: World): void {
  const task = sim.facts.tasks.get(id);
  if (task?.secondLook == null) return;
  const answer = task.secondLook.base === base ? "unmoved" : (world.secondLook?.(id) ?? "rejected");
  if (answer === "unmoved") sim.emit({ type: "second-look", task: id, base, verdict: null });
  else if (answer === "conflict") sim.emit({ type: "second-look", task: id, base, verdict: null, reason: "it collides" });
  else sim.emit({ type: "second-look", task: id, base, verdict: verdictOf(id, answer, task.commit ?? "", base) });
}

function attempt(
  task: string,
  n: number,
  { base, resolves }: { base: string; resolves: string | undefined },
  emit: (event: RunEvent) => void,
  world: World,
): void {
  const answer = world.attempt(task, n);
  if (answer !== "unready")
    emit({
      type: "attempt-started",
      task,
      attempt: n,
      slot: "wt-1",
      token: n,
      branch: `auto/${task}`,
      base,
      agent: "mock",
      log: "l",
      ...(resolves !== undefined && { resolves }),
    });
  emit({ type: "attempt-ended", task, attempt: n, outcome: outcomeOf(answer, `${task}@${n}`), session: null, usage: null, durationMs: 1 });
}

function settle(task: string, n: number, emit: (event: RunEvent) => void, world: World): void {
  const outcome = world.attempt(task, n) === "ready" ? outcomeOf("ready", `${task}@${n}`) : ({ kind: "interrupted", reason: "x" } as const);
  emit({ type: "attempt-ended", task, attempt: n, outcome, session: null, usage: null, durationMs: 1 });
}

function outcomeOf(answer: ReturnType<World["attempt"]>, commit: string): Extract<RunEvent, { type: "attempt-ended" }>["outcome"] {
  if (answer === "ready") return { kind: "ready", commit, summary: "", notes: [] };
  if (answer === "crash") return { kind: "failed", failure: "crashed", reason: "x", retry: true };
  if (answer === "nothing") return { kind: "failed", failure: "did-nothing", reason: "x", retry: true };
  return { kind: answer, reason: "x" };
}

function verify(
  task: string,
  commit: string,
  { n, base }: { n: number; base: string },
  emit: (event: RunEvent) => void,
  world: World,
): void {
  const answer = world.verify(task, n);
  if (answer === "conflict") emit({ type: "conflict", task, commit, base, paths: ["f"], against: [] });
  else emit({ type: "verdict", task, verdict: verdictOf(task, answer, commit, base) });
}

/** Each after what it depends on, as merging orders them. */
function inOrder({ tasks }: Plan, ids: readonly string[]): string[] {
  const dependsOn = (id: string): readonly string[] => tasks.find((one) => one.id === id)?.dependsOn ?? [];
  return mergeOrder(ids.map((id) => ({ task: id, dependsOn: dependsOn(id) }))).map(({ task }) => task);
}

function land(tasks: readonly string[], sim: Sim, world: World): void {
  if (tasks.length === 0) return;
  const { emit } = sim;
  const from = `t${sim.target}`;
  const queued = sim.facts.waiting?.tasks ?? [];
  const answer = world.land(tasks);
  const culprit = (answer.endsWith("-first") ? tasks[0] : tasks.at(-1)) ?? "";
  const isOut = answer !== "all" && answer !== "waits";
  // What depends on the culprit is out with it.
  const out = new Set(isOut ? [culprit] : []);
  for (const id of tasks)
    if (sim.facts.plan.tasks.find((one) => one.id === id)?.dependsOn.some((other) => out.has(other)) === true) out.add(id);
  const kept = tasks.filter((id) => !out.has(id));
  const stepOf = (task: string): LandedTask => ({ task, branch: `auto/${task}`, branchTip: "t", merge: "m" });
  const steps = kept.map(stepOf);
  const isRed = answer === "eject-last" || answer === "eject-first" || answer === "block-last";
  if (steps.length > 0 || isRed) emit({ type: "train", base: from, tip: "x", tasks: isRed ? [...steps, stepOf(culprit)] : steps });
  if (isRed) {
    const decision = answer === "block-last" ? "blocked" : "rejected";
    emit({ type: "train-verdict", tip: "x", tasks: [...tasks], verdict: verdictOf("train", decision, "x", from) });
    emit({
      type: "ejected",
      task: culprit,
      reason: "x",
      excerpt: "",
      base: from,
      ...(answer === "block-last" && { blocked: true as const }),
    });
  } else if (isOut) emit({ type: "conflict", task: culprit, commit: "c", base: from, paths: ["f"], against: kept });
  if (steps.length === 0 || answer === "cut-off") return;
  const to = `t${sim.target + 1}`;
  const all = [...queued, ...steps];
  if (answer === "waits")
    return emit({ type: "landing-waits", from, to: `w${sim.events.length}`, tasks: all, reason: "in the way", command: null });
  sim.target += 1;
  emit({ type: "landed", from, to, tasks: all });
}
