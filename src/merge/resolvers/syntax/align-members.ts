import { splitLines } from "../align/text-lines.ts";
import type { Hunk } from "../align/three-way.ts";
import { composeRegion } from "./compose.ts";
import { isDoubtful } from "./doubts.ts";
import { decidedItem, formOf, type MergedOrder, mergeOrder } from "./merge-members.ts";
import type { Parse } from "./parse.ts";
import { type Region, regionsOf } from "./regions.ts";
import { complete, mapSides, SIDES, type Sides } from "./sides.ts";
import { type Edit, edited, holds, linesAt, linesWith, ownLines, type Span, wholeLines } from "./spans.ts";
import { type Tiled, tile } from "./tile.ts";

/** Where a region is: its number in the tree or in the member `id` of the region before. */
type Step = { id: string; n: number };

/** A merged region: where it is, which members it must have in which order, and the text of those that are decided. */
export type Wanted = { path: readonly Step[]; ids: readonly string[]; forms: ReadonlyMap<string, string> };

/** What was done in one region: `additions` where both sides only put new members at a place, `members` for all else. */
export type MemberRule = "additions" | "members";
type Change = { rule: MemberRule; hunk: Hunk; merged: readonly string[] };

/**
 * The three versions with the same members in the same order where hunks were, and what differed there. `isMembers` is
 * true of the lines of members, which stand in the merge as they do in a side, but for their commas.
 */
export type Aligned = {
  texts: Sides<string>;
  changes: readonly Change[];
  wanted: readonly Wanted[];
  isMembers: (line: string) => boolean;
};

/**
 * Merges the members of the smallest regions that hold the hunks which no rule resolved. What one side alone added,
 * changed or removed stands afterwards in all three versions alike; a merge by lines does the rest. Undefined where a
 * version does not parse or no region can be merged by its members.
 */
export function alignMembers(path: string, texts: Sides<string>, hunks: readonly Hunk[], parse: Parse): Aligned | undefined {
  const trees = complete(mapSides(texts, (text) => parse(path, text)));
  if (trees === undefined) return undefined;
  const places = hunks.map((hunk) => placeOf(hunk, texts));
  const found: Found = { texts, changes: [], wanted: [], lines: new Set() };
  const regions = mapSides(trees, (tree, side) => regionsOf(tree, texts[side]));
  const edits = alignPairs(regions, places, [], "", found);
  if (found.wanted.length === 0) return undefined;
  return {
    texts: mapSides(texts, (text, side) => edited(text, { from: 0, to: text.length }, edits[side])),
    changes: found.changes,
    wanted: found.wanted,
    isMembers: (line) => found.lines.has(bare(line)),
  };
}

type Found = { texts: Sides<string>; changes: Change[]; wanted: Wanted[]; lines: Set<string> };

/** A line but for what moves with its place: its indent and its comma. */
const bare = (line: string): string => line.trim().replace(/,(?=\s*(?:\/\/.*|\/\*.*\*\/)?$)/, "");

function placeOf(hunk: Hunk, texts: Sides<string>): Sides<Span> {
  return mapSides(texts, (text, side) => {
    const lines = splitLines(text);
    const from = lines.slice(0, hunk.at[side]).join("").length;
    return { from, to: from + hunk[side].join("").length };
  });
}

const none = (): Sides<Edit[]> => ({ base: [], ours: [], theirs: [] });

/** Regions that stand in the same order in all three versions are the same ones. */
function alignPairs(
  regions: Sides<readonly Region[]>,
  places: readonly Sides<Span>[],
  path: readonly Step[],
  id: string,
  found: Found,
): Sides<Edit[]> {
  const edits = none();
  const kinds = mapSides(regions, (list) => list.map(({ kind }) => kind).join());
  if (kinds.base !== kinds.ours || kinds.base !== kinds.theirs) return edits;
  for (const n of regions.base.keys()) {
    const region = complete(mapSides(regions, (list) => list[n]));
    if (region === undefined) continue;
    const within = places.filter((place) => SIDES.every((side) => holds(wholeLines(region[side], found.texts[side]), place[side])));
    if (within.length === 0) continue;
    const done = alignRegion(region, within, [...path, { id, n }], found);
    for (const side of SIDES) edits[side].push(...done[side]);
  }
  return edits;
}

function alignRegion(region: Sides<Region>, places: readonly Sides<Span>[], path: readonly Step[], found: Found): Sides<Edit[]> {
  const edits = none();
  const entries = mapSides(region, (one) => new Map(one.entries.map((entry) => [entry.id, entry])));
  const outer = new Set(places);
  for (const id of entries.base.keys()) {
    const entry = complete(mapSides(entries, (map) => map.get(id)));
    if (entry === undefined) continue;
    const within = places.filter((place) => SIDES.every((side) => holds(ownLines(entry[side], found.texts[side]), place[side])));
    if (within.length === 0) continue;
    for (const place of within) outer.delete(place);
    const done = alignPairs(
      mapSides(entry, ({ regions }) => regions),
      within,
      path,
      id,
      found,
    );
    for (const side of SIDES) edits[side].push(...done[side]);
  }
  return outer.size === 0 ? edits : (mergeRegion(region, edits, path, found) ?? edits);
}

/** One edit of the whole region in each version, in which those of its members are taken up. */
function mergeRegion(region: Sides<Region>, inner: Sides<Edit[]>, path: readonly Step[], found: Found): Sides<Edit[]> | undefined {
  const tiled = complete(mapSides(region, (one, side) => tile(found.texts[side], one)));
  const order = tiled === undefined ? undefined : mergeOrder(tiled);
  if (tiled === undefined || order === undefined || isDoubtful(order, tiled.base.kind)) return undefined;
  const composed = composeRegion(tiled, order, (item, side) =>
    edited(found.texts[side], { from: item.textFrom, to: item.to }, inner[side]),
  );
  if (composed === undefined) return undefined;
  const forms = new Map(
    order.ids.map((id) => [id, formOf(decidedItem(id, order.members))]).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  const ids = new Set(order.ids);
  found.wanted.push({ path, ids: order.ids, forms });
  found.changes.push(shownChange(order, tiled, found));
  for (const side of SIDES) {
    const text = found.texts[side];
    const proven = tiled[side].items
      .filter(({ id }) => !ids.has(id) || forms.has(id))
      .flatMap((item) => linesAt({ from: item.textFrom, to: item.to }, text));
    // Where the layout changes, so do the lines that the region begins and ends in.
    const frame = SIDES.every((one) => tiled[one].layout === "lines") ? [] : linesWith(region[side], text, composed[side]);
    for (const line of [...proven, ...frame]) found.lines.add(bare(line));
  }
  return mapSides(region, ({ from, to }, side) => [{ from, to, text: composed[side] }]);
}

/** What differs between the versions of a region, as a person reads it: the lines of those members, and of them in the merge. */
function shownChange({ ids, members, onlyAdds }: MergedOrder, tiled: Sides<Tiled>, { texts }: Found): Change {
  const isTouched = (id: string): boolean => new Set(SIDES.map((side) => formOf(members[side].get(id)))).size > 1;
  const touched = mapSides(tiled, ({ items }) => items.filter(({ id }) => isTouched(id)));
  const lines = mapSides(touched, (items, side) => items.flatMap((item) => linesAt({ from: item.textFrom, to: item.to }, texts[side])));
  const at = mapSides(touched, ([first], side) => splitLines(texts[side].slice(0, first?.textFrom ?? tiled[side].from)).length - 1);
  const merged = ids.filter(isTouched).flatMap((id) => {
    const item = decidedItem(id, members) ?? members.ours.get(id);
    const side = SIDES.find((one) => members[one].get(id) === item);
    return item === undefined || side === undefined ? [] : linesAt({ from: item.textFrom, to: item.to }, texts[side]);
  });
  return { rule: onlyAdds ? "additions" : "members", hunk: { ...lines, at }, merged };
}
