/** What an order needs to know of a candidate besides what it depends on. */
export type Weight = {
  /** With how many others it is predicted to conflict. */
  conflicts: number;
  /** How many paths it changes. */
  paths: number;
};

const NOTHING_KNOWN: Weight = { conflicts: 0, paths: 0 };

/**
 * The order in which to merge: each after what it depends on; of those that are free, the one with the fewest predicted
 * conflicts, then the smaller one, then the one that was given first. Small ones that collide with nobody are in
 * before a large one can take the rest down with it.
 */
export function mergeOrder<Candidate extends { task: string; dependsOn: readonly string[] }>(
  candidates: readonly Candidate[],
  weights: ReadonlyMap<string, Weight> = new Map(),
): Candidate[] {
  const weightOf = ({ task }: Candidate): Weight => weights.get(task) ?? NOTHING_KNOWN;
  // Sorting is stable: what is equal stays as it was given.
  const left = [...candidates].sort((a, b) => {
    const [one, other] = [weightOf(a), weightOf(b)];
    return one.conflicts - other.conflicts || one.paths - other.paths;
  });
  const order: Candidate[] = [];
  while (left.length > 0) {
    const waiting = new Set(left.map(({ task }) => task));
    const free = left.findIndex(({ dependsOn }) => !dependsOn.some((id) => waiting.has(id)));
    // A circle is refused where plans are read; here it only must not hang.
    order.push(...left.splice(Math.max(0, free), 1));
  }
  return order;
}
