import type { Plan } from "../domain/index.ts";

/** What an order needs to know of a task. */
export type Ordered = { id: string; dependsOn: readonly string[] };

/** The tasks such that each stands after what it depends on; of those that could come next, the first in the plan does. */
export function topologicalOrder<T extends Ordered>(tasks: readonly T[]): T[] {
  const index = new Map(tasks.map((task, i) => [task.id, i]));
  const waiting = tasks.map((task) => task.dependsOn.filter((id) => index.has(id)).length);
  const dependents = dependentsIndex(tasks);
  const ready = new IndexHeap();
  for (const [i, n] of waiting.entries()) if (n === 0) ready.push(i);
  const order: T[] = [];
  for (let i = ready.pop(); i !== undefined; i = ready.pop()) {
    const task = tasks[i];
    if (task === undefined) break;
    order.push(task);
    for (const dependent of dependents.get(task.id) ?? []) {
      const left = (waiting[dependent] ?? 0) - 1;
      waiting[dependent] = left;
      if (left === 0) ready.push(dependent);
    }
  }
  if (order.length !== tasks.length) throw new Error("the tasks depend on one another in a circle: a plan is checked before it is ordered");
  return order;
}

/** The ids of all tasks that wait for `id`, at any distance, in plan order. */
export function dependentsOf(plan: Pick<Plan, "tasks">, id: string): string[] {
  const dependents = dependentsIndex(plan.tasks);
  const found = new Set<number>();
  const todo = [id];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    for (const i of dependents.get(next) ?? []) {
      const task = plan.tasks[i];
      if (task === undefined || found.has(i)) continue;
      found.add(i);
      todo.push(task.id);
    }
  }
  return plan.tasks.filter((_, i) => found.has(i)).map((task) => task.id);
}

/** 1 for a task that depends on nothing, else one more than the highest level it depends on. */
export function levels(tasks: readonly Ordered[]): Map<string, number> {
  const level = new Map<string, number>();
  for (const task of topologicalOrder(tasks)) level.set(task.id, 1 + highest(task.dependsOn, level));
  return level;
}

/** How many tasks stand one behind the other from each task on, itself included. */
export function tails(tasks: readonly Ordered[]): Map<string, number> {
  const dependents = dependentsIndex(tasks);
  const tail = new Map<string, number>();
  for (const task of topologicalOrder(tasks).reverse()) {
    tail.set(
      task.id,
      1 +
        highest(
          (dependents.get(task.id) ?? []).map((i) => tasks[i]?.id ?? ""),
          tail,
        ),
    );
  }
  return tail;
}

/** The ids of a longest chain of dependencies; of several, the one that comes first in the plan. */
export function criticalPath(plan: Pick<Plan, "tasks">): string[] {
  const tail = tails(plan.tasks);
  const dependents = dependentsIndex(plan.tasks);
  const path: string[] = [];
  let candidates: readonly Ordered[] = plan.tasks;
  for (;;) {
    const longest = highest(
      candidates.map((task) => task.id),
      tail,
    );
    const next = candidates.find((task) => tail.get(task.id) === longest);
    if (next === undefined) return path;
    path.push(next.id);
    candidates = (dependents.get(next.id) ?? []).flatMap((i) => plan.tasks[i] ?? []);
  }
}

function highest(ids: readonly string[], values: ReadonlyMap<string, number>): number {
  return ids.reduce((most, id) => Math.max(most, values.get(id) ?? 0), 0);
}

/** For each id the positions of the tasks that name it, in plan order. */
function dependentsIndex(tasks: readonly Ordered[]): Map<string, number[]> {
  const dependents = new Map<string, number[]>();
  for (const [i, task] of tasks.entries()) {
    for (const id of new Set(task.dependsOn)) {
      const list = dependents.get(id);
      if (list === undefined) dependents.set(id, [i]);
      else list.push(i);
    }
  }
  return dependents;
}

/** A heap of numbers, least first. */
class IndexHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    let at = this.#items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= item) break;
      this.#items[at] = this.#at(parent);
      at = parent;
    }
    this.#items[at] = item;
  }

  pop(): number | undefined {
    const least = this.#items[0];
    const item = this.#items.pop();
    if (item === undefined || this.#items.length === 0) return least;
    let at = 0;
    for (let child = 1; child < this.#items.length; child = 2 * at + 1) {
      if (this.#at(child + 1) < this.#at(child)) child++;
      if (item <= this.#at(child)) break;
      this.#items[at] = this.#at(child);
      at = child;
    }
    this.#items[at] = item;
    return least;
  }

  #at(i: number): number {
    return this.#items[i] ?? Number.POSITIVE_INFINITY;
  }
}
