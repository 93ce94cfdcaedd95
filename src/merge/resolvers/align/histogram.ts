import type { Marks } from "./marks.ts";
import { markMyers } from "./myers.ts";

type Region = { from1: number; to1: number; from2: number; to2: number };
type Common = Region & { rarity: number };
/** Where a line occurs in a region of the first file, first to last. */
type Occurrences = Map<number, number[]>;

/** Lines that occur more often than this are no anchors: git's limit. */
const MOST_OCCURRENCES = 64;

/**
 * Marks what differs, by the histogram algorithm as git has it: the longest common run around the rarest line is kept,
 * and what is before and behind it is looked at in the same way. Git merges by this algorithm, and another one would
 * cut hunks elsewhere. Lines are numbers, equal where the lines are. `from` is included, `to` is not.
 */
export function markHistogram(before: Int32Array, after: Int32Array, marks: Marks): void {
  const waiting: Region[] = [{ from1: 0, to1: before.length, from2: 0, to2: after.length }];
  for (let region = waiting.pop(); region !== undefined; region = waiting.pop()) {
    const common = commonRun(before, after, region);
    if (common === "none") {
      marks.before.fill(1, region.from1, region.to1);
      marks.after.fill(1, region.from2, region.to2);
    } else if (common === "too frequent") {
      markMyers(before, after, region, marks);
    } else {
      waiting.push({ from1: region.from1, to1: common.from1, from2: region.from2, to2: common.from2 });
      waiting.push({ from1: common.to1, to1: region.to1, from2: common.to2, to2: region.to2 });
    }
  }
}

function commonRun(before: Int32Array, after: Int32Array, region: Region): Common | "none" | "too frequent" {
  if (region.from1 >= region.to1 || region.from2 >= region.to2) return "none";
  const occurrences: Occurrences = new Map();
  for (let at = region.from1; at < region.to1; at++) {
    const line = before[at] ?? -1;
    const list = occurrences.get(line);
    if (list === undefined) occurrences.set(line, [at]);
    else list.push(at);
  }
  const best: Common = { from1: 0, to1: 0, from2: 0, to2: 0, rarity: MOST_OCCURRENCES + 1 };
  let shared = false;
  for (let at = region.from2; at < region.to2; ) {
    const places = occurrences.get(after[at] ?? -1);
    if (places !== undefined) shared = true;
    const usable = places !== undefined && places.length <= best.rarity;
    at = usable ? longestAt(before, after, region, occurrences, places, at, best) : at + 1;
  }
  if (!shared) return "none";
  return best.rarity > MOST_OCCURRENCES ? "too frequent" : best;
}

/** Grows the common run at each place of a line, keeps the best one in `best`; the place in `after` to go on at. */
function longestAt(
  before: Int32Array,
  after: Int32Array,
  region: Region,
  occurrences: Occurrences,
  places: readonly number[],
  at: number,
  best: Common,
): number {
  const count = (place: number): number => occurrences.get(before[place] ?? -1)?.length ?? 0;
  let next = at + 1;
  let covered = -1;
  for (const place of places) {
    if (place < covered) continue;
    let from1 = place;
    let from2 = at;
    let to1 = place + 1;
    let to2 = at + 1;
    let rarity = places.length;
    while (from1 > region.from1 && from2 > region.from2 && before[from1 - 1] === after[from2 - 1]) {
      from1--;
      from2--;
      if (rarity > 1) rarity = Math.min(rarity, count(from1));
    }
    while (to1 < region.to1 && to2 < region.to2 && before[to1] === after[to2]) {
      if (rarity > 1) rarity = Math.min(rarity, count(to1));
      to1++;
      to2++;
    }
    next = Math.max(next, to2);
    covered = to1;
    if (to1 - from1 > best.to1 - best.from1 || rarity < best.rarity) Object.assign(best, { from1, to1, from2, to2, rarity });
  }
  return next;
}
