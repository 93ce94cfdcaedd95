import type { Tree } from "./parse.ts";
import { type Entry, type Region, regionsOf } from "./regions.ts";

/** The names that stand more than once in one class, object, interface, list of names or scope: which and in what. */
export function repeatedMembers(tree: Tree, text: string): string[] {
  return regionsOf(tree, text).flatMap((region) => repeatedIn(region, "the file"));
}

function repeatedIn({ entries }: Region, place: string): string[] {
  const seen = new Set<string>();
  const own = entries.flatMap(({ id, name }) => {
    if (name === undefined || !seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [`${name} stands twice in ${place}`];
  });
  const within = ({ name, id, regions }: Entry): string[] => regions.flatMap((region) => repeatedIn(region, name ?? id.slice(0, LONGEST)));
  return [...own, ...entries.flatMap(within)];
}

/** Of a statement that has no name its beginning says which. */
const LONGEST = 60;
