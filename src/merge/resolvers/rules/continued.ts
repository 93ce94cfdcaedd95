import { sameLines } from "../align/text-lines.ts";
import type { Rule } from "../rule.ts";

/** What is more than punctuation: a name, a word of prose. */
const WORD = /\p{L}{2}/u;

export const continued: Rule = {
  name: "continued",
  level: "safe",
  statement: "both sides added the same lines at one place, and one of them more before or behind them: the longer addition is taken",
  apply: ({ base, ours, theirs }) => {
    if (base.some((line) => line.trim() !== "")) return undefined;
    const [shorter, longer] = ours.length < theirs.length ? [ours, theirs] : [theirs, ours];
    const surplus = longer.length - shorter.length;
    if (!hasWord(shorter)) return undefined;
    if (sameLines(longer.slice(0, shorter.length), shorter) && hasWord(longer.slice(shorter.length))) return longer;
    if (sameLines(longer.slice(surplus), shorter) && hasWord(longer.slice(0, surplus))) return longer;
    return undefined;
  },
};

const hasWord = (lines: readonly string[]): boolean => lines.some((line) => WORD.test(line));
