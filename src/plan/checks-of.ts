import type { Check, JudgedCheck, Plan, Task } from "../domain/index.ts";

/** A tree that is to become the target: the tasks that it adds, and those of the same run that the target holds already. */
export type TreeTasks = { tasks: readonly string[]; earlier: readonly string[]; defaults: readonly JudgedCheck[] };

/**
 * Returns every check that a tree must pass: the plan's, each task's own, and the defaults if one of the tasks has
 * neither. Each check is in the list once, with the strictest standing that one of the tasks gives it.
 */
export function checksOf(plan: Pick<Plan, "verification" | "tasks">, { tasks, earlier, defaults }: TreeTasks): JudgedCheck[] {
  const of = (ids: readonly string[]): Task[] => plan.tasks.filter(({ id }) => ids.includes(id));
  const byKey = new Map<string, JudgedCheck>();
  const add = (one: JudgedCheck): void => {
    const key = JSON.stringify(one.check);
    if (!byKey.has(key)) byKey.set(key, one);
  };
  const [now, before] = [of(tasks), of(earlier)];
  const shared = plan.verification.map((check): JudgedCheck => ({ check, skip: null, standing: "shared" }));
  const own = (task: Task, standing: JudgedCheck["standing"]): JudgedCheck[] =>
    task.verification.map((check) => ({ check, skip: null, standing }));
  const isBare = (task: Task): boolean => plan.verification.length === 0 && task.verification.length === 0;
  for (const one of shared) add(one);
  if (now.some(isBare)) for (const one of defaults) add(one);
  for (const task of now) for (const one of own(task, "own")) add(one);
  if (before.some(isBare)) for (const one of defaults) add({ ...one, standing: "earlier" });
  for (const task of before) for (const one of own(task, "earlier")) add(one);
  return [...byKey.values()];
}

/** The checks of one task alone, for its brief and its agent's permissions. */
export function checksOfTask(plan: Pick<Plan, "verification" | "tasks">, task: Task, defaults: readonly Check[]): Check[] {
  const judged = defaults.map((check): JudgedCheck => ({ check, skip: null, standing: "shared" }));
  return checksOf(plan, { tasks: [task.id], earlier: [], defaults: judged }).map(({ check }) => check);
}
