import fc from "fast-check";

/** Members by name, in the order of a text. */
type Listed = readonly (readonly [name: string, value: number])[];
export type Versions = { base: Listed; ours: Listed; theirs: Listed };

const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** What one side does with the members of the base: it keeps, changes or removes each, and adds some of its own names. */
const editOf = (base: Listed, names: readonly string[], added: number): fc.Arbitrary<Listed> =>
  fc
    .tuple(
      fc.array(fc.constantFrom("kept", "kept", "kept", "changed", "removed"), { minLength: base.length, maxLength: base.length }),
      fc.array(fc.tuple(fc.constantFrom(...names), fc.nat({ max: base.length })), { maxLength: added }),
    )
    .map(([fates, additions]) => {
      const kept: (readonly [string, number])[] = base.flatMap(([name, value], n) =>
        fates[n] === "removed" ? [] : [[name, fates[n] === "changed" ? value + 10 : value] as const],
      );
      const fresh = new Map(additions.filter(([name]) => !base.some(([known]) => known === name)));
      for (const [name, place] of fresh) kept.splice(Math.min(place, kept.length), 0, [name, 1]);
      return kept;
    });

/** A list of members and two edits of it; where `apart`, the sides add names that only they use, and nothing else. */
export function randomVersions({ apart }: { apart: boolean }): fc.Arbitrary<Versions> {
  return fc.uniqueArray(fc.constantFrom(...NAMES.slice(0, 4)), { maxLength: 4 }).chain((names) => {
    const base = names.map((name) => [name, 0] as const);
    if (!apart) return fc.record({ base: fc.constant(base), ours: editOf(base, NAMES, 3), theirs: editOf(base, NAMES, 3) });
    const adding = (fresh: readonly string[]): fc.Arbitrary<Listed> =>
      fc
        .tuple(fc.subarray([...fresh], { minLength: 1 }), fc.nat({ max: base.length }))
        .map(([added, place]) => [
          ...base.slice(0, place),
          ...added.map((name) => [name, NAMES.indexOf(name)] as const),
          ...base.slice(place),
        ]);
    return fc.record({ base: fc.constant(base), ours: adding(NAMES.slice(4, 6)), theirs: adding(NAMES.slice(6)) });
  });
}

/** The members after both sides' changes; undefined where one name has two outcomes. */
export function mergedMembers({ base, ours, theirs }: Versions): Map<string, number> | undefined {
  const [was, mine, other] = [new Map(base), new Map(ours), new Map(theirs)];
  const merged = new Map<string, number>();
  for (const name of new Set([...was.keys(), ...mine.keys(), ...other.keys()])) {
    const [before, our, their] = [was.get(name), mine.get(name), other.get(name)];
    if (our !== their && our !== before && their !== before) return undefined;
    const value = our === before ? their : our;
    if (value !== undefined) merged.set(name, value);
  }
  return merged;
}
