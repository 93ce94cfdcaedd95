import type { Hunk } from "./align/three-way.ts";

/** What a rule may know beside its hunk: the path, and the three whole sides as lines. */
export type FileContext = {
  path: string;
  base: readonly string[];
  ours: readonly string[];
  theirs: readonly string[];
};

/**
 * One way to resolve a hunk. `apply` returns the lines that stand for the hunk, or undefined where the rule does not
 * prove anything about it; it never guesses. `statement` is what a person reads beside a resolution.
 */
export type Rule = {
  name: string;
  level: "safe" | "assist";
  statement: string;
  apply: (hunk: Hunk, file: FileContext) => readonly string[] | undefined;
};

/** Lines without their endings. */
export function withoutEndings(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/\r?\n$/, ""));
}
