import type { Check, JudgedCheck, Plan, Task } from "../domain/index.ts";

/** A tree that is to become the target: the tasks that it adds, and those of the same run that the target holds already. */
export type TreeTasks = { tasks: readonly string[]; earlier: readonly string[]; defaults: readonly JudgedCheck[] };

/**
 * Returns every check that a tree must pass: the plan's, each task's own, and the defaults if one of the tasks has
 * neither, or is no task of the plan. Each check is in the list once, with the strictest standing that a task gives it.
 */
export function checksOf(plan: Pick<Plan, "verification" | "tasks">, { tasks, earlier, defaults }: TreeTasks): JudgedCheck[] {
  const known = new Map(plan.tasks.map((task) => [task.id, task]));
  const byKey = new Map<string, JudgedCheck>();
  const add = (all: readonly JudgedCheck[]): void => {
    for (const one of all) if (!byKey.has(keyOf(one))) byKey.set(keyOf(one), one);
  };
  const judged = (checks: readonly Check[], standing: JudgedCheck["standing"]): JudgedCheck[] =>
    checks.map((check) => ({ check, skip: null, standing }));
  const own = (id: string): readonly Check[] => known.get(id)?.verification ?? [];
  const isBare = (id: string): boolean => !known.has(id) || (plan.verification.length === 0 && own(id).length === 0);
  if (tasks.some((id) => known.has(id))) add(judged(plan.verification, "shared"));
  if (tasks.some(isBare)) add(defaults);
  for (const id of tasks) add(judged(own(id), "own"));
  if (earlier.some((id) => known.has(id))) add(judged(plan.verification, "earlier"));
  if (earlier.some(isBare)) add(defaults.map((one) => ({ ...one, standing: "earlier" })));
  for (const id of earlier) add(judged(own(id), "earlier"));
  return [...byKey.values()];
}

const keyOf = ({ check }: JudgedCheck): string => JSON.stringify(check);

/** The checks of one task alone, for its brief and its agent's permissions. */
export function checksOfTask(plan: Pick<Plan, "verification" | "tasks">, task: Task, defaults: readonly Check[]): Check[] {
  const judged = defaults.map((check): JudgedCheck => ({ check, skip: null, standing: "shared" }));
  return checksOf(plan, { tasks: [task.id], earlier: [], defaults: judged }).map(({ check }) => check);
}
