import type { Rule } from "./rule.ts";
import { adjacent } from "./rules/adjacent.ts";
import { contained } from "./rules/contained.ts";
import { continued } from "./rules/continued.ts";
import { identical } from "./rules/identical.ts";
import { imports } from "./rules/imports.ts";
import { jsonMembers } from "./rules/json-members.ts";
import { versions } from "./rules/versions.ts";
import { whiteSpace } from "./rules/white-space.ts";

/** In the order in which they are asked: what proves most first. */
const RULES: readonly Rule[] = [identical, whiteSpace, versions, jsonMembers, imports, continued, contained, adjacent];

/** The rules of a level; `assist` has those of `safe` too. */
export function rulesOf(level: "safe" | "assist"): readonly Rule[] {
  return RULES.filter((rule) => level === "assist" || rule.level === "safe");
}
