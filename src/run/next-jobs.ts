import type { Config, Decision, Group, Plan, Task } from "../domain/index.ts";
import { isSettled, type RunFacts, type TaskFacts } from "../session/index.ts";

/** One thing to do next. Its key says whether it is being done already. */
export type Job =
  | { kind: "settle-interrupted"; task: string }
  | { kind: "start-group"; group: number }
  | { kind: "attempt"; task: string }
  | { kind: "verify"; task: string }
  | { kind: "land"; tasks: readonly string[] }
  | { kind: "packet"; task: string }
  /** Gives the slot back, and settles the branch of what has landed. */
  | { kind: "release"; task: string }
  | { kind: "checkpoint"; group: number; status: GroupStatus };

export type GroupStatus = "complete" | "partial" | "failed";

export type Situation = {
  plan: Plan;
  decision: Decision;
  facts: RunFacts;
  /** Keys of the jobs under way. */
  running: ReadonlySet<string>;
  schedule: "groups" | "eager";
  /** Verifications side by side. */
  verifications: number;
  /** Agents whose provider is resting after a rate limit. */
  resting: ReadonlySet<string>;
  defaultAgent: string;
  resolverAgent: string;
};

export function jobKey(job: Job): string {
  if ("task" in job) return `${job.kind} ${job.task}`;
  if (job.kind === "land") return "land";
  return `${job.kind} ${job.group}`;
}

/**
 * What to do next, from what is known now: a pure function, so that any engine can run it. An empty answer while
 * nothing is under way means that this session is over.
 */
export function nextJobs(situation: Situation): Job[] {
  const { decision, facts, running } = situation;
  const current = currentGroup(situation);
  const open = decision.groups.filter((group) => situation.schedule === "eager" || group.number <= current);
  const starting = open.filter((group) => !facts.groups.has(group.number) && !waits(situation, group));
  if (sessionIsOver(situation)) return without(running, tidying(situation));
  if (starting.length > 0)
    return without(
      running,
      starting.map((group) => ({ kind: "start-group", group: group.number }) as const),
    );
  const tasks = open.flatMap((group) => group.tasks);
  const attempts = attemptsOf(situation, tasks);
  const verifications = tasks
    .filter((id) => factsOf(facts, id).status === "ready_for_qa")
    .map((task) => ({ kind: "verify", task }) as const);
  const free = Math.max(0, situation.verifications - [...running].filter((key) => key.startsWith("verify ")).length);
  const jobs: Job[] = [...attempts, ...without(running, verifications).slice(0, free)];
  const landing = landOf(situation, tasks, jobs.length > 0 || busy(running, "attempt ", "verify ", "settle-interrupted "));
  return without(running, [...interrupted(situation, tasks), ...jobs, ...landing, ...tidying(situation)]);
}

/** The first group that has no checkpoint yet and can go on; the last one where there is none. */
function currentGroup(situation: Situation): number {
  const { decision, facts } = situation;
  const open = decision.groups.find((group) => (facts.groups.get(group.number)?.checkpoint ?? null) === null && !waits(situation, group));
  return open?.number ?? decision.groups.length;
}

/** Not begun, and nothing in it can begin before a person decides on something else. */
function waits(situation: Situation, group: Group): boolean {
  const { facts } = situation;
  const tasks = group.tasks.map((id) => factsOf(facts, id));
  return (
    !facts.groups.has(group.number) && tasks.some((task) => task.status === "pending") && tasks.every((task) => rests(situation, task))
  );
}

/** With one group a session, the next one is left to the next session; what was begun is finished. */
function sessionIsOver(situation: Situation): boolean {
  const { facts, decision } = situation;
  if (facts.mode !== "one-group" || facts.checkpointsThisSession === 0) return false;
  const begun = decision.groups.filter((group) => facts.groups.has(group.number));
  return begun.every((group) => group.tasks.every((id) => rests(situation, factsOf(facts, id))));
}

/** Nothing happens to the task by itself any more in this session, or it waits for one of which that is true. */
function rests(situation: Situation, task: TaskFacts): boolean {
  const { facts } = situation;
  if (isSettled(task.status) || inWaiting(facts, task.id) || (task.status === "qa_approved" && !facts.merge)) return true;
  return task.status === "pending" && waitsForPerson(situation, task.id);
}

function waitsForPerson(situation: Situation, id: string): boolean {
  const task = situation.plan.tasks.find((one) => one.id === id);
  return (task?.dependsOn ?? []).some((other) => {
    const facts = factsOf(situation.facts, other);
    return !isThere(situation.facts, facts) && rests(situation, facts);
  });
}

/** In the target, or in the verified commit that waits for it: what depends on the task may begin. */
function isThere(facts: RunFacts, task: TaskFacts): boolean {
  return task.status === "done" || inWaiting(facts, task.id);
}

function inWaiting(facts: RunFacts, id: string): boolean {
  return facts.waiting?.tasks.some((one) => one.task === id) ?? false;
}

function attemptsOf(situation: Situation, tasks: readonly string[]): Job[] {
  const { facts, running, plan, decision, resting } = situation;
  const byId = new Map(plan.tasks.map((task) => [task.id, task]));
  const live = [...running].filter((key) => key.startsWith("attempt ")).map((key) => key.slice("attempt ".length));
  const taken = new Set(live.flatMap((id) => resourcesOf(byId.get(id))));
  const free = Math.max(0, decision.agents - live.length);
  // One that was cut off is done again first: nobody collides with what has not landed.
  const landing = running.has("land") || tasks.some((id) => factsOf(facts, id).status === "merging" && !inWaiting(facts, id));
  const ready = tasks
    .flatMap((id) => byId.get(id) ?? [])
    .filter((task) => ["pending", "pending_retry", "qa_rejected"].includes(factsOf(facts, task.id).status))
    .filter(
      (task) => !running.has(`attempt ${task.id}`) && !running.has(`settle-interrupted ${task.id}`) && !running.has(`release ${task.id}`),
    )
    .filter((task) => task.dependsOn.every((other) => isThere(facts, factsOf(facts, other))))
    .filter((task) => !resting.has(nextAgent(situation, task, factsOf(facts, task.id))))
    // Begun now, it would begin on the target that the landing is about to replace.
    .filter((task) => !landing || (factsOf(facts, task.id).rerun === null && factsOf(facts, task.id).resolve === null));
  const chosen: Job[] = [];
  // FREE ones first; an EXCLUSIVE one as soon as what it needs is free.
  for (const task of [...ready.filter((one) => one.contention === "FREE"), ...ready.filter((one) => one.contention === "EXCLUSIVE")]) {
    const wanted = resourcesOf(task);
    if (chosen.length >= free || wanted.some((resource) => taken.has(resource))) continue;
    for (const resource of wanted) taken.add(resource);
    chosen.push({ kind: "attempt", task: task.id });
  }
  return chosen;
}

export function agentsOf({ agents, merge }: Pick<Config, "agents" | "merge">): Pick<Situation, "defaultAgent" | "resolverAgent"> {
  return { defaultAgent: agents.default, resolverAgent: merge.agent ?? agents.default };
}

/** The name of the agent that a task's next attempt is by. */
export function nextAgent(agents: Pick<Situation, "defaultAgent" | "resolverAgent">, task: Task, facts: TaskFacts): string {
  return facts.resolve === null ? (task.agent ?? agents.defaultAgent) : agents.resolverAgent;
}

function resourcesOf(task: Task | undefined): readonly string[] {
  if (task === undefined || task.contention === "FREE") return [];
  return task.resources.length === 0 ? ["*"] : task.resources;
}

function interrupted({ facts, running }: Situation, tasks: readonly string[]): Job[] {
  return tasks
    .filter((id) => factsOf(facts, id).status === "in_progress" && !running.has(`attempt ${id}`))
    .map((task) => ({ kind: "settle-interrupted", task }) as const);
}

/** Groups land whole: when nothing of them is under way. Eager plans land whatever is approved. */
function landOf(situation: Situation, tasks: readonly string[], active: boolean): Job[] {
  const { facts, schedule } = situation;
  if (!facts.merge || (schedule === "groups" && active)) return [];
  const approved = tasks.filter(
    (id) => factsOf(facts, id).status === "qa_approved" || (factsOf(facts, id).status === "merging" && !inWaiting(facts, id)),
  );
  return approved.length === 0 ? [] : [{ kind: "land", tasks: approved }];
}

/** Slots given back, packets written, checkpoints made. */
function tidying(situation: Situation): Job[] {
  const { facts, decision, running } = situation;
  const jobs: Job[] = [];
  for (const task of facts.tasks.values()) {
    const over =
      ["done", "failed", "skipped", "conflict"].includes(task.status) ||
      inWaiting(facts, task.id) ||
      (task.status === "qa_approved" && !facts.merge);
    const open = task.slot !== null || (task.landed !== null && !task.branchSettled);
    if (over && open && !running.has(`attempt ${task.id}`)) jobs.push({ kind: "release", task: task.id });
    if (task.status === "conflict" && task.packet === null && !running.has("land")) jobs.push({ kind: "packet", task: task.id });
  }
  if (jobs.length > 0 || busy(running, "release ", "packet ", "land")) return jobs;
  for (const group of decision.groups) {
    const begun = facts.groups.get(group.number);
    if (begun === undefined || !group.tasks.every((id) => rests(situation, factsOf(facts, id)))) continue;
    const status = groupStatus(
      group.tasks.map((id) => factsOf(facts, id)),
      facts,
    );
    if (begun.checkpoint !== status) jobs.push({ kind: "checkpoint", group: group.number, status });
  }
  return jobs;
}

export function groupStatus(tasks: readonly TaskFacts[], facts: RunFacts): GroupStatus {
  const good = tasks.filter(
    (task) => task.status === "done" || inWaiting(facts, task.id) || (task.status === "qa_approved" && !facts.merge),
  );
  if (good.length === tasks.length) return "complete";
  return good.length === 0 ? "failed" : "partial";
}

function busy(running: ReadonlySet<string>, ...prefixes: readonly string[]): boolean {
  return [...running].some((key) => prefixes.some((prefix) => key.startsWith(prefix)));
}

function without(running: ReadonlySet<string>, jobs: readonly Job[]): Job[] {
  return jobs.filter((job) => !running.has(jobKey(job)));
}

function factsOf(facts: RunFacts, id: string): TaskFacts {
  const found = facts.tasks.get(id);
  if (found === undefined) throw new Error(`no such task: ${id}`);
  return found;
}
