import { type Change, changesBetween, sameChange } from "../align/changes.ts";
import type { Hunk } from "../align/three-way.ts";
import type { Rule } from "../rule.ts";

const MOST_LINES = 12;

type Edit = Change & { lines: readonly string[] };

export const adjacent: Rule = {
  name: "adjacent",
  level: "assist",
  statement: "neighbouring lines were changed or removed, each by one side only: both changes are taken",
  apply: (hunk) => {
    const { base } = hunk;
    if (base.length === 0 || base.length > MOST_LINES) return undefined;
    const merged: string[] = [];
    let next = 0;
    const edits = editsOf(hunk);
    if (edits === undefined) return undefined;
    for (const edit of edits) {
      // Where lines were only added, their place beside the other side's edit is a guess: right in half of the cases.
      if (edit.removed === 0 || edit.before < next) return undefined;
      merged.push(...base.slice(next, edit.before), ...edit.lines);
      next = edit.before + edit.removed;
    }
    return [...merged, ...base.slice(next)];
  },
};

/**
 * What both sides did to the base, from its first line to its last; the same edit of both is one. Undefined where two
 * edits write the same line: that may be one change as well, and the line would stand twice.
 */
function editsOf({ base, ours, theirs }: Hunk): Edit[] | undefined {
  const of = (side: readonly string[]): Edit[] =>
    changesBetween(base, side).map((change) => ({ ...change, lines: side.slice(change.after, change.after + change.added) }));
  const ofOurs = of(ours);
  const ofTheirs = of(theirs).filter((their) => !ofOurs.some((our) => sameChange(our, their, ours, theirs)));
  const written = new Set(ofOurs.flatMap(({ lines }) => lines));
  if (ofTheirs.some(({ lines }) => lines.some((line) => /[\p{L}\p{N}]/u.test(line) && written.has(line)))) return undefined;
  return [...ofOurs, ...ofTheirs].sort((one, other) => one.before - other.before);
}
