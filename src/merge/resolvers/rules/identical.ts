import { sameLines } from "../align/text-lines.ts";
import type { Rule } from "../rule.ts";

export const identical: Rule = {
  name: "identical",
  level: "safe",
  statement: "both sides have the same lines here",
  apply: ({ ours, theirs }) => (sameLines(ours, theirs) ? ours : undefined),
};
