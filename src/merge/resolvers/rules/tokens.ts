import { changesBetween, sameChange } from "../align/changes.ts";
import { splitLines } from "../align/text-lines.ts";
import { mergeLines } from "../align/three-way.ts";
import type { Rule } from "../rule.ts";
import { wordsOf } from "../words.ts";

const MOST_LINES = 5;
const MOST_EDITS = 2;
/** Words that must stand unchanged between an edit of one side and one of the other. */
const LEAST_BETWEEN = 2;

export const tokens: Rule = {
  name: "tokens",
  level: "assist",
  statement: "within a few lines each side changed other words, which do not touch: both changes are taken",
  apply: ({ base, ours, theirs }) => {
    if (base.length === 0 || base.length > MOST_LINES) return undefined;
    if (ours.length !== base.length || theirs.length !== base.length) return undefined;
    const [before, our, their] = [base, ours, theirs].map(wordsOf) as [string[], string[], string[]];
    for (const side of [our, their]) {
      const edits = changesBetween(before, side).length;
      if (edits === 0 || edits > MOST_EDITS) return undefined;
    }
    if (tooClose(before, our, their)) return undefined;
    const merged = mergeLines(before, our, their).flatMap((part) => (part.kind === "lines" ? part.lines : [BLOCKED]));
    return merged.includes(BLOCKED) ? undefined : splitLines(merged.join(""));
  },
};

/** Stands for a place where both sides changed the same words. */
const BLOCKED = "\0";

function tooClose(base: readonly string[], ours: readonly string[], theirs: readonly string[]): boolean {
  const ofTheirs = changesBetween(base, theirs);
  return changesBetween(base, ours).some((our) =>
    ofTheirs.some((their) => {
      if (sameChange(our, their, ours, theirs)) return false;
      const [first, second] = our.before <= their.before ? [our, their] : [their, our];
      const between = base.slice(first.before + first.removed, second.before);
      return between.filter((word) => word.trim() !== "").length < LEAST_BETWEEN;
    }),
  );
}
