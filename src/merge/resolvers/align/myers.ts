import type { Marks } from "./marks.ts";

/** Beyond this many edits the search costs more than the alignment is worth: everything counts as changed. */
const MOST_EDITS = 2_000;

/**
 * Marks a shortest edit script (Myers) of one region: for the rare regions whose common lines are all so frequent that
 * the histogram finds no anchor among them.
 */
export function markMyers(
  before: Int32Array,
  after: Int32Array,
  region: { from1: number; to1: number; from2: number; to2: number },
  marks: Marks,
): void {
  const rows = region.to1 - region.from1;
  const columns = region.to2 - region.from2;
  const trace: Int32Array[] = [];
  const limit = Math.min(rows + columns, MOST_EDITS);
  const middle = limit + 1;
  const reach = new Int32Array(2 * limit + 3);
  const same = (x: number, y: number): boolean => before[region.from1 + x] === after[region.from2 + y];
  for (let edits = 0; edits <= limit; edits++) {
    trace.push(reach.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && (reach[middle + k - 1] ?? 0) < (reach[middle + k + 1] ?? 0));
      let x = down ? (reach[middle + k + 1] ?? 0) : (reach[middle + k - 1] ?? 0) + 1;
      while (x < rows && x - k < columns && same(x, x - k)) x++;
      reach[middle + k] = x;
      if (x >= rows && x - k >= columns) {
        walkBack(trace, rows, columns, region, marks);
        return;
      }
    }
  }
  marks.before.fill(1, region.from1, region.to1);
  marks.after.fill(1, region.from2, region.to2);
}

function walkBack(
  trace: readonly Int32Array[],
  rows: number,
  columns: number,
  region: { from1: number; from2: number },
  marks: Marks,
): void {
  let x = rows;
  let y = columns;
  for (let edits = trace.length - 1; edits > 0; edits--) {
    const reach = trace[edits] ?? new Int32Array();
    const at = (k: number): number => reach[k + edits + 1] ?? 0;
    const k = x - y;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const fromK = down ? k + 1 : k - 1;
    x = at(fromK);
    y = x - fromK;
    if (down) marks.after[region.from2 + y] = 1;
    else marks.before[region.from1 + x] = 1;
  }
}
