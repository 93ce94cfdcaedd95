import type { Rule } from "../rule.ts";

const MOST_LINES = 8;

export const adjacent: Rule = {
  name: "adjacent",
  level: "assist",
  statement: "neighbouring lines were changed in place, each by one side only: both changes are taken",
  apply: ({ base, ours, theirs }) => {
    if (base.length === 0 || base.length > MOST_LINES) return undefined;
    if (ours.length !== base.length || theirs.length !== base.length) return undefined;
    const merged: string[] = [];
    for (const [n, line] of base.entries()) {
      const our = ours[n] ?? "";
      const their = theirs[n] ?? "";
      if (our !== line && their !== line && our !== their) return undefined;
      merged.push(our === line ? their : our);
    }
    return merged;
  },
};
