import { decidedItem, type MergedOrder } from "./merge-members.ts";
import { mapSides, SIDES, type Sides, threeWay } from "./sides.ts";
import type { Item, Tiled } from "./tile.ts";

/** What stands around the members of a merged region; undefined where both sides changed it, each in its own way. */
type Frame = {
  layout: Tiled["layout"];
  head: string;
  tail: string;
  lastSeparated: boolean;
  firstGap: string;
  indent: string;
  ending: string;
};

/**
 * The merged region in each version: members that are decided are the same in all three, others as each side has them,
 * `textOf` them. What is left to merge by lines is then within single members. Undefined where the frame cannot be merged.
 */
export function composeRegion(
  tiled: Sides<Tiled>,
  order: MergedOrder,
  textOf: (item: Item, side: keyof Sides<unknown>) => string,
): Sides<string> | undefined {
  const frame = frameOf(tiled);
  if (frame === undefined) return undefined;
  const { ids, members } = order;
  const places = [tiled.ours, tiled.theirs, tiled.base].map(({ items }) => ({ items, at: new Map(items.map(({ id }, n) => [id, n])) }));
  return mapSides(tiled, (own, side) => {
    const items = ids.map((id, n) => {
      const item = decidedItem(id, members) ?? members[side].get(id) ?? members.ours.get(id);
      if (item === undefined) throw new Error(`no side has the member ${id}`);
      const text = decidedItem(id, members) === undefined ? textOf(item, side) : item.text;
      const gap = n === 0 ? frame.firstGap : gapBefore(id, places);
      return { text, after: item.after, indent: item.indent || frame.indent, gap };
    });
    const comma = (n: number): string => (own.separator === "," && (n < items.length - 1 || frame.lastSeparated) ? "," : "");
    if (frame.layout === "inline")
      return `${frame.head}${items.map(({ text }) => text).join(own.separator === "|" ? " | " : ", ")}${comma(items.length - 1)}${frame.tail}`;
    const lines = items.map(({ gap, indent, text, after }, n) => `${gap}${indent}${text}${comma(n)}${after}${frame.ending}`);
    return `${frame.head}${lines.join("")}${frame.tail}`;
  });
}

function frameOf(tiled: Sides<Tiled>): Frame | undefined {
  const filled = SIDES.map((side) => tiled[side]).filter(({ layout }) => layout !== "empty");
  const layout = filled.some((one) => one.layout === "lines") ? agreed(mapSides(tiled, layoutOf)) : "inline";
  const model = [tiled.ours, tiled.theirs, tiled.base].find((one) => one.layout === layout);
  if (layout === undefined || model === undefined) return undefined;
  const of = <T>(read: (one: Tiled) => T): T | undefined =>
    agreed(mapSides(tiled, (one) => (one.layout === layout ? read(one) : undefined)));
  const [head, tail] = [of((one) => one.head), of((one) => one.tail)];
  if (head === undefined || tail === undefined) return undefined;
  return {
    layout,
    head,
    tail,
    lastSeparated: of((one) => one.lastSeparated) ?? model.lastSeparated,
    firstGap: of((one) => one.items[0]?.gap ?? "") ?? "",
    indent: model.items[0]?.indent ?? "",
    ending: model.ending,
  };
}

const layoutOf = ({ layout }: Tiled): Tiled["layout"] | undefined => (layout === "empty" ? undefined : layout);

/** The value after both sides' changes, where a version that has none has no say. */
function agreed<T>({ base, ours, theirs }: Sides<T | undefined>): T | undefined {
  if (ours === undefined) return theirs ?? base;
  return theirs === undefined ? ours : threeWay<T | undefined>({ base, ours, theirs });
}

/** The blank lines before a member: as in a side where it is not the first, else as before the next one there. */
function gapBefore(id: string, places: readonly { items: readonly Item[]; at: ReadonlyMap<string, number> }[]): string {
  const behind = places.find(({ at }) => (at.get(id) ?? 0) > 0);
  if (behind !== undefined) return behind.items[behind.at.get(id) ?? 0]?.gap ?? "";
  return places.find(({ at }) => at.has(id))?.items[1]?.gap ?? "";
}
