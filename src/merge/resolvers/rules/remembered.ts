import type { Hunk } from "../align/three-way.ts";
import type { Rule } from "../rule.ts";

/** Not one of a level: what somebody decided for the very same lines, in work that was verified and landed. */
export function remembered(recall: (hunk: Hunk) => readonly string[] | undefined): Rule {
  return {
    name: "remembered",
    level: "safe",
    statement: "the same lines collided before, and what was decided then passed verification",
    apply: recall,
  };
}
