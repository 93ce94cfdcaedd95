import { mergeLines } from "../align/three-way.ts";
import { alphabetically, isSorted, orderKeys } from "../keyed.ts";
import { mapSides, SIDES, type Sides, threeWay } from "./sides.ts";
import type { Item, Tiled } from "./tile.ts";

/** The members of a region by their ids, in each version. */
export type Members = Sides<ReadonlyMap<string, Item>>;

/** The members that a merged region has, in order; `onlyAdds` where both sides put new ones at one place and that was all. */
export type MergedOrder = { ids: readonly string[]; members: Members; onlyAdds: boolean };

/**
 * Which members a merged region has and in which order: those of the line of members as git merges lines, and where
 * that conflicts, the union of what both sides have there, if the order within the place means nothing. Undefined
 * where it may, where a member is there twice or is moved by both, or where one side removed what the other changed.
 */
export function mergeOrder(tiled: Sides<Tiled>): MergedOrder | undefined {
  const lists = mapSides(tiled, ({ items }) => items.map(({ id }) => id));
  const members = mapSides(tiled, ({ items }) => new Map(items.map((item) => [item.id, item])));
  if (SIDES.some((side) => members[side].size !== lists[side].length)) return undefined;
  const compare =
    SIDES.every((side) => lists[side].length < 3 || isSorted(lists[side], alphabetically)) && SIDES.some((side) => lists[side].length >= 3);
  const ids: string[] = [];
  const places: Sides<readonly string[]>[] = [];
  for (const part of mergeLines(lists.base, lists.ours, lists.theirs)) {
    if (part.kind === "lines") {
      ids.push(...part.lines);
      continue;
    }
    const { base, ours, theirs } = part.hunk;
    const place = { base, ours, theirs };
    if (!mayBeAnyOrder(place, members)) return undefined;
    const order = orderKeys(place, (id) => isKept(id, members), compare ? alphabetically : undefined);
    if (order === undefined) return undefined;
    ids.push(...order);
    places.push(place);
  }
  const all = new Set(SIDES.flatMap((side) => lists[side]));
  const merged = new Set(ids);
  if (merged.size !== ids.length) return undefined;
  if ([...all].some((id) => merged.has(id) !== isKept(id, members) || isMoot(id, members))) return undefined;
  const onlyAdds =
    places.length > 0 && places.every(({ base, ours, theirs }) => base.every((id) => ours.includes(id) && theirs.includes(id)));
  return { ids, members, onlyAdds };
}

const isKept = (id: string, { base, ours, theirs }: Members): boolean => (base.has(id) ? ours.has(id) && theirs.has(id) : true);

/** Removed by one side while the other changed it, or added by both in two forms. */
function isMoot(id: string, members: Members): boolean {
  const { base, ours, theirs } = mapSides(members, (map) => formOf(map.get(id)));
  if (base === undefined) return ours !== undefined && theirs !== undefined && ours !== theirs;
  return (ours === undefined && theirs !== undefined && theirs !== base) || (theirs === undefined && ours !== undefined && ours !== base);
}

/** What of a member may not be lost; undefined where there is none. */
export const formOf = (item: Item | undefined): string | undefined => (item === undefined ? undefined : item.text + item.after.trim());

/** True where what one side did here has no bearing on where the other's members stand. */
function mayBeAnyOrder({ base, ours, theirs }: Sides<readonly string[]>, members: Members): boolean {
  const placeOf = (id: string): string | undefined => (members.ours.get(id) ?? members.theirs.get(id) ?? members.base.get(id))?.place;
  const touched = [ours, theirs].map((side) => [...side.filter((id) => !base.includes(id)), ...base.filter((id) => !side.includes(id))]);
  if (touched.flat().some((id) => placeOf(id) === "rigid")) return false;
  const isMoved = [ours, theirs].some(
    (side) => side.filter((id) => base.includes(id)).join("\n") !== base.filter((id) => side.includes(id)).join("\n"),
  );
  if (isMoved) return [...base, ...ours, ...theirs].every((id) => placeOf(id) === "free");
  return touched.some((ids) => ids.every((id) => placeOf(id) === "free"));
}

/** The one form of a member in the merge; undefined where both sides changed it, each in its own way. */
export function decidedItem(id: string, { base, ours, theirs }: Members): Item | undefined {
  const items = { base: base.get(id), ours: ours.get(id), theirs: theirs.get(id) };
  const form = threeWay(mapSides(items, formOf));
  if (items.base === undefined || form === undefined) return form === undefined ? undefined : (items.ours ?? items.theirs);
  return formOf(items.ours) === form ? items.ours : items.theirs;
}
