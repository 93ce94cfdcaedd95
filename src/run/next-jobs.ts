import type { Config, Decision, Plan, Task } from "../domain/index.ts";
import { mayLand } from "../plan/index.ts";
import { awaitsCheckout, isAvailable, type RunFacts, type TaskFacts } from "../session/index.ts";
import { isBlocked, isOfSession, type Settled, settledTasks, tasksAtRest } from "./at-rest.ts";

/** One thing to do next. */
export type Job =
  | { kind: "settle-interrupted"; task: string }
  | { kind: "start-group"; group: number }
  | { kind: "attempt"; task: string }
  | { kind: "verify"; task: string }
  | { kind: "land"; tasks: readonly string[] }
  /** Verifies once more what QA rejected for good, on the target as it is now. */
  | { kind: "second-look"; tasks: readonly string[] }
  | { kind: "packet"; task: string }
  /** Gives the slot back, and settles the branch of what has landed. */
  | { kind: "release"; task: string }
  | { kind: "checkpoint"; group: number; status: GroupStatus };

export type GroupStatus = "complete" | "partial" | "failed";

export type Situation = {
  decision: Decision;
  facts: RunFacts;
  /** Jobs under way. */
  running: readonly Job[];
  schedule: "groups" | "eager";
  /** Verifications side by side. */
  verifications: number;
  /** Slots that no job has taken or is about to take. */
  freeSlots: number;
  /** No agent starts: the machine is given a moment. */
  paused: boolean;
  /** Agents whose provider is resting after a rate limit. */
  resting: ReadonlySet<string>;
  defaultAgent: string;
  resolverAgent: string;
};

/** Tells one job from another: the same job is not started twice. */
export function jobKey(job: Job): string {
  if ("task" in job) return `${job.kind} ${job.task}`;
  return "group" in job ? `${job.kind} ${job.group}` : job.kind;
}

/** What each step of the decision below needs: the situation, and what follows from it. */
type Scene = Situation & {
  plan: Plan;
  byId: ReadonlyMap<string, Task>;
  tasks: readonly TaskFacts[];
  settled: Settled;
  landable: readonly string[];
};

/**
 * Returns what to do next, from what is known now: a pure function, so that any engine can run it. If nothing is under
 * way, an empty answer says that this session is over.
 */
export function nextJobs(situation: Situation): Job[] {
  const { facts, decision, running } = situation;
  const settled = settledTasks(facts);
  const current = currentGroup(situation, settled);
  const isWholeRun = situation.schedule === "eager" || facts.landOnly !== null;
  const open = decision.groups.filter((group) => isWholeRun || group.number <= current);
  if (!isOfSession(facts, decision, settled)) return without(running, cleanupJobs(situation, settled));
  const starting =
    facts.landOnly !== null ? [] : open.filter((group) => !facts.groups.has(group.number) && !isBlocked(facts, group, settled));
  if (starting.length > 0)
    return without(
      running,
      starting.map(({ number }): Job => ({ kind: "start-group", group: number })),
    );
  const ids = open.flatMap((group) => group.tasks);
  const tasks = ids.flatMap((id) => facts.tasks.get(id) ?? []);
  const byId = new Map(facts.plan.tasks.map((task) => [task.id, task]));
  const scene: Scene = { ...situation, plan: facts.plan, byId, tasks, settled, landable: landableOf(facts, new Set(ids)) };
  // An eager landing is judged beside the verifications that begin with it, so these have to know of it.
  const eager = situation.schedule === "eager" && !running.some(({ kind }) => kind === "land") ? landJobs(scene, false) : [];
  const judging = verifications({ ...scene, running: [...running, ...eager] });
  const work = facts.landOnly !== null ? [] : [...interrupted(scene), ...attempts(scene), ...judging];
  const isActive = work.length > 0 || running.some(({ kind }) => ACTIVE.has(kind));
  const landing = situation.schedule === "eager" ? eager : landJobs(scene, isActive);
  const looks = isActive || landing.length > 0 || facts.landOnly !== null ? [] : secondLooks(scene);
  return without(running, [...work, ...landing, ...looks, ...cleanupJobs(situation, settled)]);
}

const ACTIVE: ReadonlySet<Job["kind"]> = new Set(["attempt", "verify", "settle-interrupted", "second-look"]);

/** The first group that has no checkpoint yet and can go on; the last one if there is none. */
function currentGroup({ decision, facts }: Situation, settled: Settled): number {
  const open = decision.groups.find(
    (group) => (facts.groups.get(group.number)?.checkpoint ?? null) === null && !isBlocked(facts, group, settled),
  );
  return open?.number ?? decision.groups.length;
}

/** Approved work among `ids` that may land now, in plan order. */
export function landableOf(facts: RunFacts, ids: ReadonlySet<string>): string[] {
  const all = [...facts.tasks.values()];
  const isApproved = ({ id, status }: TaskFacts): boolean =>
    ids.has(id) &&
    facts.landOnly?.includes(id) !== false &&
    (status === "qa_approved" || (status === "merging" && !awaitsCheckout(facts, id)));
  const approved = new Set(all.filter(isApproved).map(({ id }) => id));
  if (approved.size === 0) return [];
  return mayLand(facts.plan, { approved, available: new Set(all.filter(({ id }) => isAvailable(facts, id)).map(({ id }) => id)) });
}

const merges = (facts: RunFacts): boolean => facts.merge || facts.landOnly !== null;

const NEEDS_AGENT: ReadonlySet<TaskFacts["status"]> = new Set(["pending", "pending_retry", "qa_rejected"]);

function attempts(scene: Scene): Job[] {
  const { facts, running, decision, resting, byId } = scene;
  if (scene.paused || facts.environment !== null) return [];
  const live = running.flatMap((job) => (job.kind === "attempt" ? [job.task] : []));
  const isBusy = (id: string): boolean => running.some((job) => "task" in job && job.task === id);
  // An attempt that began now would begin on the target that the landing is about to replace.
  const isLanding = running.some(({ kind }) => kind === "land") || (merges(facts) && scene.landable.length > 0);
  const ready = scene.tasks
    // While its old slot is being given back, the pool would refuse it another.
    .filter((task) => NEEDS_AGENT.has(task.status) && task.secondLook === null && task.slot === null && !isBusy(task.id))
    .filter((task) => hasItsDependencies(scene, task.id))
    .filter((task) => !isLanding || (task.rerun === null && task.resolve === null))
    .flatMap((task) => byId.get(task.id) ?? [])
    .filter((task) => !resting.has(nextAgent(scene, task, factsOf(facts, task.id))));
  const taken = new Set(live.flatMap((id) => resourcesOf(byId.get(id))));
  // If others hold every slot, one attempt waits for one of them.
  const holdsSlot = live.length > 0 || [...facts.tasks.values()].some((task) => task.slot !== null);
  const slots = scene.freeSlots > 0 || holdsSlot ? Math.max(0, scene.freeSlots) : 1;
  let free = Math.min(decision.agents - live.length, slots);
  const chosen: Job[] = [];
  for (const task of inTurn(scene, ready)) {
    const wanted = resourcesOf(task);
    if (free <= 0 || wanted.some((resource) => taken.has(resource))) continue;
    for (const resource of wanted) taken.add(resource);
    chosen.push({ kind: "attempt", task: task.id });
    free -= 1;
  }
  return chosen;
}

/**
 * The order in which tasks get a slot. By groups, an EXCLUSIVE task begins once the FREE ones of its group have begun;
 * else it goes first, so that no stream of FREE ones can starve it.
 */
function inTurn({ schedule, decision, facts }: Scene, ready: readonly Task[]): Task[] {
  const groupOf = new Map(decision.groups.flatMap((group) => group.tasks.map((id) => [id, group.number] as const)));
  const rank = (task: Task): number => {
    if (task.contention === "EXCLUSIVE") return 1;
    return schedule === "groups" && factsOf(facts, task.id).attempts === 0 ? 0 : 2;
  };
  const byGroup = (a: Task, b: Task): number => (schedule === "groups" ? (groupOf.get(a.id) ?? 0) - (groupOf.get(b.id) ?? 0) : 0);
  return ready.toSorted((a, b) => byGroup(a, b) || rank(a) - rank(b));
}

export function agentsOf({ agents, merge }: Pick<Config, "agents" | "merge">): Pick<Situation, "defaultAgent" | "resolverAgent"> {
  return { defaultAgent: agents.default, resolverAgent: merge.agent ?? agents.default };
}

/** The name of the agent that a task's next attempt is by. */
export function nextAgent(agents: Pick<Situation, "defaultAgent" | "resolverAgent">, task: Task, facts: TaskFacts): string {
  return facts.resolve === null ? (task.agent ?? agents.defaultAgent) : agents.resolverAgent;
}

/** What only one task may use at a time: its agents do, and its checks. */
export function resourcesOf(task: Task | undefined): readonly string[] {
  if (task === undefined || task.contention === "FREE") return [];
  return task.resources.length === 0 ? ["*"] : task.resources;
}

function verifications(scene: Scene): Job[] {
  const { facts, running, byId } = scene;
  const judging = running.flatMap((job) => (job.kind === "verify" ? [job.task] : "tasks" in job ? job.tasks : []));
  const taken = new Set(judging.flatMap((id) => resourcesOf(byId.get(id))));
  const count = running.filter(({ kind }) => kind === "verify").length;
  const isJudging = running.some(({ kind }) => kind === "verify" || kind === "land" || kind === "second-look");
  let free = facts.verifyAlone ? (isJudging ? 0 : 1) : Math.max(0, scene.verifications - count);
  const chosen: Job[] = [];
  for (const { id, status } of scene.tasks) {
    const wanted = resourcesOf(byId.get(id));
    const isRunning = running.some((job) => job.kind === "verify" && job.task === id);
    if (status !== "ready_for_qa" || free <= 0 || isRunning || wanted.some((resource) => taken.has(resource))) continue;
    if (!hasItsDependencies(scene, id)) continue;
    for (const resource of wanted) taken.add(resource);
    chosen.push({ kind: "verify", task: id });
    free -= 1;
  }
  return chosen;
}

function hasItsDependencies({ facts, byId }: Scene, id: string): boolean {
  return byId.get(id)?.dependsOn.every((other) => isAvailable(facts, other)) === true;
}

function interrupted({ running, tasks }: Scene): Job[] {
  const isRunning = (id: string): boolean => running.some((job) => job.kind === "attempt" && job.task === id);
  return tasks.flatMap(({ id, status }) =>
    status === "in_progress" && !isRunning(id) ? [{ kind: "settle-interrupted", task: id } as const] : [],
  );
}

/** Groups land whole, when nothing of them is under way. Eager plans land whatever is approved. */
function landJobs({ facts, schedule, running, landable, byId }: Scene, isActive: boolean): Job[] {
  if (!merges(facts) || landable.length === 0 || (schedule === "groups" && isActive)) return [];
  const judging = running.flatMap((job) => (job.kind === "verify" ? [job.task] : []));
  if (judging.length > 0 && facts.verifyAlone) return [];
  const taken = new Set(judging.flatMap((id) => resourcesOf(byId.get(id))));
  const isDisturbed = landable.some((id) => resourcesOf(byId.get(id)).some((resource) => taken.has(resource)));
  return isDisturbed || running.some(({ kind }) => kind === "second-look") ? [] : [{ kind: "land", tasks: landable }];
}

/** When all others are at rest, those that QA rejected for good are looked at once more. */
function secondLooks({ facts, tasks, running }: Scene): Job[] {
  const waiting = tasks.filter((task) => task.secondLook !== null);
  if (waiting.length === 0 || running.some(({ kind }) => kind === "land" || kind === "attempt")) return [];
  const atRest = tasksAtRest(facts);
  return tasks.every(({ id }) => atRest.has(id)) ? [{ kind: "second-look", tasks: waiting.map(({ id }) => id) }] : [];
}

const WORKS_IN_SLOT: ReadonlySet<Job["kind"]> = new Set(["attempt", "settle-interrupted"]);
const TIDIES: ReadonlySet<Job["kind"]> = new Set(["release", "packet", "land"]);

/** Slots given back, packets written, checkpoints made. */
function cleanupJobs({ facts, decision, running }: Situation, settled: Settled): Job[] {
  const jobs: Job[] = [];
  for (const task of facts.tasks.values()) {
    const isAtWork =
      task.status === "in_progress" || running.some((job) => "task" in job && job.task === task.id && WORKS_IN_SLOT.has(job.kind));
    const isOpen = task.slot !== null || (task.landed !== null && !task.branchSettled);
    if (isOpen && !isAtWork) jobs.push({ kind: "release", task: task.id });
    if (task.status === "conflict" && task.packet === null && !running.some(({ kind }) => kind === "land"))
      jobs.push({ kind: "packet", task: task.id });
  }
  if (jobs.length > 0 || running.some(({ kind }) => TIDIES.has(kind))) return jobs;
  for (const group of decision.groups) {
    const begun = facts.groups.get(group.number);
    if (begun === undefined || !group.tasks.every((id) => settled.has(id))) continue;
    const status = groupStatus(
      group.tasks.map((id) => factsOf(facts, id)),
      facts,
    );
    // A session that only lands says nothing of a group that it did not bring to its end.
    if (facts.landOnly !== null && status !== "complete") continue;
    if (begun.checkpoint !== status) jobs.push({ kind: "checkpoint", group: group.number, status });
  }
  return jobs;
}

export function groupStatus(tasks: readonly TaskFacts[], facts: RunFacts): GroupStatus {
  const good = tasks.filter((task) => isAvailable(facts, task.id) || (task.status === "qa_approved" && !facts.merge));
  if (good.length === tasks.length) return "complete";
  return good.length === 0 ? "failed" : "partial";
}

function without(running: readonly Job[], jobs: readonly Job[]): Job[] {
  const keys = new Set(running.map(jobKey));
  return jobs.filter((job) => !keys.has(jobKey(job)));
}

function factsOf(facts: RunFacts, id: string): TaskFacts {
  const found = facts.tasks.get(id);
  if (found === undefined) throw new Error(`no such task: ${id}`);
  return found;
}
