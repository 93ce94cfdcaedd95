import { changesBetween, sameChange } from "../align/changes.ts";
import type { Rule } from "../rule.ts";
import { wordsOf } from "../words.ts";

export const contained: Rule = {
  name: "contained",
  level: "assist",
  statement: "one side made every edit of the other, word for word, and more: it is taken",
  apply: ({ base, ours, theirs }) => {
    if (bare(ours) === bare(theirs)) return undefined;
    const [before, our, their] = [wordsOf(base), wordsOf(ours), wordsOf(theirs)];
    if (contains(before, our, their)) return ours;
    if (contains(before, their, our)) return theirs;
    return undefined;
  },
};

/**
 * Returns the text without blanks, quotes, semicolons and commas. Sides that are equal so may still differ in meaning:
 * `rm "$A"/ b` removes what `rm "$A"/b` keeps.
 */
const bare = (lines: readonly string[]): string => lines.join("").replace(/[\s'"`;,]/g, "");

/** True if the larger side has each edit of the smaller one at the same words of the base. */
function contains(base: readonly string[], larger: readonly string[], smaller: readonly string[]): boolean {
  const all = changesBetween(base, larger);
  const few = changesBetween(base, smaller);
  if (few.length === 0 || few.length >= all.length) return false;
  return few.every((edit) => all.some((one) => sameChange(one, edit, larger, smaller)));
}
