import { countsOf } from "./line-counts.ts";

/** What git writes, longer ones in a merge of merges included; a text about merging, or a heading underlined, looks the same. */
const MARKER = /^(?:<{7,}|>{7,}|\|{7,}|={7})(?: |$)/;

/** Lines of a text that look like conflict markers. */
export function markersIn(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => MARKER.test(line));
}

/**
 * Those of a merge that are left of a conflict: such as neither side had, or one more than both sides' changes account
 * for. A file may hold such lines of its own.
 */
export function newMarkers(base: string, ours: string, theirs: string, merged: string): string[] {
  const [before, our, their, now] = [base, ours, theirs, merged].map((text) => countsOf(markersIn(text)));
  const of = (counts: ReadonlyMap<string, number> | undefined, line: string): number => counts?.get(line) ?? 0;
  return [...(now ?? [])].flatMap(([line, count]) => {
    const known = [of(our, line), of(their, line)] as const;
    return count > Math.max(...known, known[0] + known[1] - of(before, line)) ? [line] : [];
  });
}
