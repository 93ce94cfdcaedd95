import type { Hunk, Part } from "./resolvers/align/three-way.ts";

/** A hunk, and the lines that somebody put in its place. */
export type DecidedHunk = { hunk: Hunk; lines: readonly string[] };

/** More than punctuation: such a line is not in two places by chance. */
const WORD = /\p{L}{2}/u;

/**
 * Cuts out of a result what was decided for each hunk: the lines between the hunk's neighbours. Returns nothing if the
 * result can be cut in two ways, or if it changed lines that are in no hunk. A part of a decision must not be taken for
 * the whole, so lines between two hunks count only if one of them has a word in it.
 */
export function decidedHunks(parts: readonly Part[], result: readonly string[]): DecidedHunk[] {
  const { hunks, contexts } = contextsOf(parts);
  const inner = contexts.slice(1, -1);
  const from = contexts[0]?.length ?? 0;
  const until = result.length - (contexts.at(-1)?.length ?? 0);
  const isFramed = standsAt(result, 0, contexts[0] ?? []) && standsAt(result, until, contexts.at(-1) ?? []);
  if (hunks.length === 0 || from > until || !isFramed || !inner.every(hasWord)) return [];
  const first = placeFromLeft(inner, result, from, until);
  const last = placeFromRight(inner, result, from, until);
  // Each place of any cutting lies between these two: if they agree, there is no other.
  if (first === undefined || first.some((at, n) => at !== last?.[n])) return [];
  const starts = [from, ...first.map((at, n) => at + (inner[n]?.length ?? 0))];
  return hunks.map((hunk, n) => ({ hunk, lines: result.slice(starts[n], first[n] ?? until) }));
}

/** The hunks, and the lines before, between and behind them: one list more than hunks. */
function contextsOf(parts: readonly Part[]): { hunks: Hunk[]; contexts: string[][] } {
  const hunks: Hunk[] = [];
  const contexts: string[][] = [[]];
  for (const part of parts) {
    if (part.kind === "lines") contexts.at(-1)?.push(...part.lines);
    else {
      hunks.push(part.hunk);
      contexts.push([]);
    }
  }
  return { hunks, contexts };
}

/** Where each of the contexts stands first, one behind the other; undefined if one does not. */
function placeFromLeft(
  contexts: readonly (readonly string[])[],
  lines: readonly string[],
  from: number,
  until: number,
): number[] | undefined {
  const places: number[] = [];
  let at = from;
  for (const context of contexts) {
    while (at + context.length <= until && !standsAt(lines, at, context)) at++;
    if (at + context.length > until) return undefined;
    places.push(at);
    at += context.length;
  }
  return places;
}

/** Where each of the contexts stands last: the same, read backwards. */
function placeFromRight(
  contexts: readonly (readonly string[])[],
  lines: readonly string[],
  from: number,
  until: number,
): number[] | undefined {
  const size = lines.length;
  const turned = contexts.map((context) => context.toReversed()).toReversed();
  const places = placeFromLeft(turned, lines.toReversed(), size - until, size - from);
  return places?.map((at, n) => size - at - (turned[n]?.length ?? 0)).toReversed();
}

function standsAt(lines: readonly string[], at: number, wanted: readonly string[]): boolean {
  return wanted.every((line, n) => lines[at + n] === line);
}

function hasWord(lines: readonly string[]): boolean {
  return lines.some((line) => WORD.test(line));
}

/** True if a hunk is more than punctuation on each side that has lines: else the same few characters could meet by chance. */
export function isTelling({ ours, theirs }: Hunk): boolean {
  return [ours, theirs].every((lines) => lines.length === 0 || hasWord(lines));
}
