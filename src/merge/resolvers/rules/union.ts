import type { Rule } from "../rule.ts";

/** Not one of a level: only for files that the user lists, where both sides only ever add (a changelog). */
export const union: Rule = {
  name: "union",
  level: "safe",
  statement: "the user lists the file for union and both sides added lines at one place: ours, then theirs",
  apply: ({ base, ours, theirs }) => (base.length === 0 ? [...ours, ...theirs] : undefined),
};
