import { cleanText } from "./text.ts";

/** One thing wrong with a plan or a configuration, at its place in the text. Lines and columns count from 1. */
export type Finding = {
  line: number;
  column: number;
  /** Where in the document: `tasks[2].depends_on[0]`; empty for the whole. */
  path: string;
  message: string;
  /** Set where one error speaks of several files. */
  file?: string;
};

/** Keys and list positions from the root of a document. */
export type DocumentPath = readonly (string | number)[];

/** `["tasks", 2, "id"]` as `tasks[2].id`. */
export function pathText(path: DocumentPath): string {
  const parts = path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${part.slice(0, 100)}`));
  return cleanText(parts.join(""));
}

/** A value from outside, safe and short enough to stand in a message. */
export function quoted(value: string): string {
  const clean = cleanText(value);
  return JSON.stringify(clean.length > 60 ? `${clean.slice(0, 59)}…` : clean);
}

/** How many findings an error lists; the rest are counted, and all are in its details. */
const SHOWN_MAX = 100;

/** One line a finding, `file:line:column message`, in the order of the text. */
export function findingLines(file: string, findings: readonly Finding[]): string {
  const lines = findings.slice(0, SHOWN_MAX).map((f) => `${f.file ?? file}:${f.line}:${f.column} ${f.message}`);
  if (findings.length > SHOWN_MAX) lines.push(`and ${findings.length - SHOWN_MAX} more.`);
  return lines.join("\n");
}

/** The candidate a slip of the finger away from `word` (case apart), or undefined where none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  // A third of the letters may differ: `verfication` is near, `files` is not near `title`.
  let limit = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= limit) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), limit);
    if (distance < limit) [best, limit] = [candidate, distance];
    if (limit === 0) break;
  }
  return best;
}

/** ` (did you mean …?)`, or nothing: the tail of a message about an unknown word. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word.slice(0, 120), candidates);
  return near === undefined ? "" : ` (did you mean \`${near}\`?)`;
}

/** Levenshtein distance with swaps of neighbours; anything at or above `limit` may be returned as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j - 1] ?? 0) + (same ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next.push(cost);
    }
    if (Math.min(...next) >= limit) return limit;
    [before, row] = [row, next];
  }
  return row[b.length] ?? limit;
}
