import { splitLines } from "../../../../src/merge/resolvers/align/text-lines.ts";
import type { Hunk } from "../../../../src/merge/resolvers/align/three-way.ts";
import type { FileContext, Rule } from "../../../../src/merge/resolvers/rule.ts";

/** Three texts of a hunk; each line of an array gets its ending. */
export type Sides = { base: string[]; ours: string[]; theirs: string[] };

export function hunkOf({ base, ours, theirs }: Sides): Hunk {
  const ended = (lines: readonly string[]): string[] => splitLines(lines.map((line) => `${line}\n`).join(""));
  return { base: ended(base), ours: ended(ours), theirs: ended(theirs), at: { base: 0, ours: 0, theirs: 0 } };
}

/** What a rule makes of a hunk that is the whole file: its lines without endings, or undefined. */
export function outcome(rule: Rule, path: string, sides: Sides): string[] | undefined {
  const hunk = hunkOf(sides);
  const file: FileContext = { path, base: hunk.base, ours: hunk.ours, theirs: hunk.theirs };
  return rule.apply(hunk, file)?.map((line) => line.replace(/\n$/, ""));
}
