import { markHistogram } from "./histogram.ts";
import type { Marks } from "./marks.ts";
import { slideGroups } from "./slide.ts";

/** `removed` lines from line `before` on became `added` lines from line `after` on; lines count from 0. */
export type Change = { before: number; removed: number; after: number; added: number };

/** What turns one list of lines into the other, in order, as git's merge sees it. */
export function changesBetween(before: readonly string[], after: readonly string[]): Change[] {
  const numbers = new Map<string, number>();
  const numbered = (lines: readonly string[]): Int32Array => Int32Array.from(lines, (line) => numberOf(numbers, line));
  const lines1 = numbered(before);
  const lines2 = numbered(after);
  const marks: Marks = { before: new Uint8Array(before.length), after: new Uint8Array(after.length) };
  markHistogram(lines1, lines2, marks);
  slideGroups(lines1, marks.before, marks.after);
  slideGroups(lines2, marks.after, marks.before);
  return changesOf(marks);
}

/** True where two changes of one base are the same: at the same lines, to the same lines. */
export function sameChange(one: Change, other: Change, onesLines: readonly string[], othersLines: readonly string[]): boolean {
  if (one.before !== other.before || one.removed !== other.removed || one.added !== other.added) return false;
  for (let n = 0; n < one.added; n++) if (onesLines[one.after + n] !== othersLines[other.after + n]) return false;
  return true;
}

function numberOf(numbers: Map<string, number>, line: string): number {
  const known = numbers.get(line);
  if (known !== undefined) return known;
  numbers.set(line, numbers.size);
  return numbers.size - 1;
}

function changesOf(marks: Marks): Change[] {
  const changes: Change[] = [];
  let n1 = 0;
  let n2 = 0;
  while (n1 < marks.before.length || n2 < marks.after.length) {
    const before = n1;
    const after = n2;
    while (marks.before[n1] === 1) n1++;
    while (marks.after[n2] === 1) n2++;
    if (n1 > before || n2 > after) changes.push({ before, removed: n1 - before, after, added: n2 - after });
    n1++;
    n2++;
  }
  return changes;
}
