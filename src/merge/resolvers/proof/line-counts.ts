import { changesBetween, sameChange } from "../align/changes.ts";

/**
 * How often each line must stand in a merge: as often as in the base, plus what each side added, minus what it removed;
 * a change that both made at the same place counts once.
 */
export function expectedCounts(base: readonly string[], ours: readonly string[], theirs: readonly string[]): Map<string, number> {
  const counts = countsOf(base);
  const add = (line: string, n: number): void => {
    counts.set(line, (counts.get(line) ?? 0) + n);
  };
  const ofOurs = changesBetween(base, ours);
  const ofTheirs = changesBetween(base, theirs).filter((their) => !ofOurs.some((our) => sameChange(our, their, ours, theirs)));
  for (const [changes, side] of [[ofOurs, ours] as const, [ofTheirs, theirs] as const]) {
    for (const change of changes) {
      for (const line of base.slice(change.before, change.before + change.removed)) add(line, -1);
      for (const line of side.slice(change.after, change.after + change.added)) add(line, 1);
    }
  }
  return counts;
}

export function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** The lines that stand in the merge more or less often than expected, with both numbers. Blank lines do not count. */
export function miscounted(
  expected: ReadonlyMap<string, number>,
  merged: readonly string[],
): { line: string; expected: number; found: number }[] {
  const found = countsOf(merged);
  return [...new Set([...expected.keys(), ...found.keys()])]
    .map((line) => ({ line, expected: Math.max(0, expected.get(line) ?? 0), found: found.get(line) ?? 0 }))
    .filter((one) => one.expected !== one.found && one.line.trim() !== "");
}
