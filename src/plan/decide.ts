import { count, type Decision, type Group, type Plan, type Task } from "../domain/index.ts";
import { firstFitGroups } from "./first-fit.ts";
import { levels, tails } from "./order.ts";

/** The keys of `parallelization` that decide. */
export type Limits = { enabled: boolean; minTasks: number; maxAgents: number };

/** How a plan is run: its groups, and whether agents work side by side. The same plan and limits give the same answer. */
export function decide(plan: Plan, limits: Limits): Decision {
  const whole = independentGroups(plan);
  const largest = largestOf(whole);
  const reason = sequentialReason(plan, whole, limits);
  return {
    mode: reason === null ? "PARALLEL" : "SEQUENTIAL",
    reason: reason ?? `${largest} independent files detected`,
    agents: reason === null ? Math.max(1, Math.min(limits.maxAgents, largest)) : 1,
    groups: split(whole, Math.max(1, limits.maxAgents)),
    warnings: warnings(plan),
  };
}

/**
 * Tasks that can run side by side, before `max_agents` splits them: per level one group or, where files may overlap,
 * several. A group is in the order of dispatch: what most work waits for first, EXCLUSIVE tasks last in plan order.
 */
export function independentGroups(plan: Pick<Plan, "tasks">): Task[][] {
  const level = levels(plan.tasks);
  const tail = tails(plan.tasks);
  const byLevel: Task[][] = [];
  for (const task of plan.tasks) (byLevel[(level.get(task.id) ?? 1) - 1] ??= []).push(task);
  return byLevel
    .flatMap((tasks) => firstFitGroups(tasks))
    .map((tasks) => {
      const free = tasks.filter((task) => task.contention === "FREE");
      // The sort is stable: equally long tails stay in plan order.
      free.sort((a, b) => (tail.get(b.id) ?? 0) - (tail.get(a.id) ?? 0));
      return [...free, ...tasks.filter((task) => task.contention !== "FREE")];
    });
}

export function largestOf(groups: readonly (readonly Task[])[]): number {
  return groups.reduce((most, group) => Math.max(most, group.length), 0);
}

function split(whole: readonly (readonly Task[])[], maxAgents: number): Group[] {
  const groups: Group[] = [];
  for (const tasks of whole) {
    for (let from = 0; from < tasks.length; from += maxAgents) {
      groups.push({ number: groups.length + 1, tasks: tasks.slice(from, from + maxAgents).map((task) => task.id) });
    }
  }
  return groups;
}

function sequentialReason(plan: Plan, whole: readonly (readonly Task[])[], limits: Limits): string | null {
  const largest = largestOf(whole);
  if (!limits.enabled) return "parallelization.enabled is false";
  if (largest >= limits.minTasks) return null;
  const { length } = plan.tasks;
  const threshold = `min_tasks is ${limits.minTasks}`;
  if (length === 1) return `Only 1 task (${threshold})`;
  if (length === largest) return `Only ${count(largest, "independent task")} (${threshold})`;
  const hasLinks = plan.tasks.some((task) => task.dependsOn.length > 0);
  if (largest === 1)
    return hasLinks ? `All ${length} tasks wait for one another (${threshold})` : `All ${length} tasks write the same files (${threshold})`;
  return `Only ${largest} of ${length} tasks can run side by side: ${hasLinks ? "the others wait for them" : "the others write the same files"} (${threshold})`;
}

const NAMED_MAX = 10;

function warnings(plan: Plan): string[] {
  const open = plan.tasks.filter((task) => task.files.length === 0).map((task) => task.id);
  if (open.length === 0 || plan.tasks.length === 1) return [];
  const names = open.length > NAMED_MAX ? `${open.slice(0, NAMED_MAX).join(", ")} and ${open.length - NAMED_MAX} more` : open.join(", ");
  return [`${count(open.length, "task")} without \`files\`, taken to overlap with none: ${names}`];
}
