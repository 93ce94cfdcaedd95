import type { Wanted } from "./align-members.ts";
import { formOf } from "./merge-members.ts";
import type { Parse } from "./parse.ts";
import { type Region, regionsOf } from "./regions.ts";
import { tile } from "./tile.ts";

/**
 * Reads a merged text anew and says what is not as wanted: a region that is gone, members that are missing, too many or
 * in another order, one with another text. Empty where all is there.
 */
export function memberDefects(path: string, merged: string, wanted: readonly Wanted[], parse: Parse): string[] {
  const tree = parse(path, merged);
  if (tree === undefined) return ["it does not parse any more"];
  const top = regionsOf(tree, merged);
  return wanted.flatMap(({ path: steps, ids, forms }) => {
    let regions = top;
    let region: Region | undefined;
    for (const { id, n } of steps) {
      regions = region === undefined ? top : (region.entries.find((entry) => entry.id === id)?.regions ?? []);
      region = regions[n];
    }
    const items = region === undefined ? undefined : tile(merged, region)?.items;
    if (items === undefined) return ["a region of members is gone"];
    if (items.map(({ id }) => id).join("\n") !== ids.join("\n")) return ["its members are not those of both sides"];
    return items
      .filter((item) => forms.has(item.id) && forms.get(item.id) !== formOf(item))
      .map(({ id }) => `${id} is not as a side has it`);
  });
}
