/** A task, and what has to be in the target before it or with it. */
export type Dependent = { id: string; dependsOn: readonly string[] };

/** `approved` may become part of the target; `available` is in it already, or in the commit that waits for it. */
export type LandState = { approved: ReadonlySet<string>; available: ReadonlySet<string> };

/**
 * Returns the approved tasks that may land, in plan order: those whose dependencies are all available or land with
 * them. The one rule for every road to the target.
 */
export function mayLand({ tasks }: { tasks: readonly Dependent[] }, { approved, available }: LandState): string[] {
  const isIn = (id: string, landing: ReadonlySet<string>): boolean => available.has(id) || landing.has(id);
  let landing = approved;
  for (;;) {
    const left = tasks.filter((task) => landing.has(task.id) && task.dependsOn.every((id) => isIn(id, landing)));
    if (left.length === landing.size) return left.map((task) => task.id);
    landing = new Set(left.map((task) => task.id));
  }
}
