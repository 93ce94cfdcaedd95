import { changesBetween } from "../align/changes.ts";
import { mergeLines } from "../align/three-way.ts";
import type { Rule } from "../rule.ts";

const MOST_LINES = 5;
const MOST_EDITS = 2;
const TOKEN = /[\p{L}\p{N}_$]+|\s+|[^\s\p{L}\p{N}_$]/gu;

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
    const parts = mergeLines(before, our, their);
    const merged = parts.flatMap((part) => (part.kind === "lines" ? part.lines : []));
    if (parts.some((part) => part.kind === "hunk")) return undefined;
    return merged.join("").match(/[^\n]*\n|[^\n]+$/g) ?? [];
  },
};

function wordsOf(lines: readonly string[]): string[] {
  return lines.join("").match(TOKEN) ?? [];
}
