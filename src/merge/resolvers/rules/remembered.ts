import type { Hunk } from "../align/three-way.ts";
import type { Rule } from "../rule.ts";

/** In no level. Takes what somebody decided for the very same lines, in work that landed; the proof of the file decides. */
export function remembered(recall: (hunk: Hunk) => readonly string[] | undefined): Rule {
  return {
    name: "remembered",
    level: "safe",
    statement: "the same lines collided before, and what was decided then has landed",
    apply: recall,
  };
}
