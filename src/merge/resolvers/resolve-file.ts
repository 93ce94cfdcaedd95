import { joinLines, splitLines } from "./align/text-lines.ts";
import { type Hunk, mergeLines } from "./align/three-way.ts";
import { unmergeable } from "./file-kind.ts";
import { expectedCounts, miscounted } from "./proof/line-counts.ts";
import { proveMerge } from "./prove.ts";
import type { FileContext, Rule } from "./rule.ts";
import { rulesOf } from "./rules.ts";

/** How much is resolved without a person: nothing, what rules of high precision prove, or what assisting ones do too. */
export type ResolverLevel = "off" | "safe" | "assist";

/** One file that git could not merge. A side that lacks it is undefined; so is a base that never had it. */
export type ConflictedFile = {
  level: ResolverLevel;
  path: string;
  base: string | undefined;
  ours: string | undefined;
  theirs: string | undefined;
  /** Rules of no level, asked before those of the level. */
  also?: readonly Rule[];
};

/** A hunk that a rule resolved; `replaced` are lines that stand in the result less or more often than both sides want. */
export type AppliedRule = { rule: string; hunk: Hunk; merged: readonly string[]; replaced: readonly string[] };

export type Resolution =
  | { kind: "resolved"; text: string; applied: readonly AppliedRule[] }
  | { kind: "declined"; why: string; hunksLeft: readonly Hunk[]; applied: readonly AppliedRule[] };

/**
 * Merges one conflicted file as git does and resolves each hunk by the first rule that proves it. All or nothing: where
 * a hunk is left, or the whole result fails its proof, the file is declined, with what was found on the way.
 */
export async function resolveFile({ level, path, base, ours, theirs, also = [] }: ConflictedFile): Promise<Resolution> {
  if (level === "off") return declined("resolvers are off");
  if (ours === undefined || theirs === undefined) return declined("one side deleted the file");
  const why = unmergeable(path, [base ?? "", ours, theirs]);
  if (why !== undefined) return declined(why);
  const file: FileContext = { path, base: splitLines(base ?? ""), ours: splitLines(ours), theirs: splitLines(theirs) };
  const applied: AppliedRule[] = [];
  const hunksLeft: Hunk[] = [];
  const lines: string[] = [];
  const rules = [...also, ...rulesOf(level)];
  for (const part of mergeLines(file.base, file.ours, file.theirs)) {
    if (part.kind === "lines") lines.push(...part.lines);
    else {
      const done = applyFirst(rules, part.hunk, file);
      if (done === undefined) hunksLeft.push(part.hunk);
      else {
        applied.push(done);
        lines.push(...done.merged);
      }
    }
  }
  if (hunksLeft.length > 0) return declined("no rule proves what is left", hunksLeft, applied);
  const text = joinLines(lines);
  const replaced = applied.flatMap((one) => one.replaced);
  const findings = await proveMerge(base ?? "", ours, theirs, text, path, replaced);
  const first = findings[0];
  if (first === undefined) return { kind: "resolved", text, applied };
  return declined(
    `the result fails its proof: ${first.what}`,
    applied.map(({ hunk }) => hunk),
    applied,
  );
}

function applyFirst(rules: readonly Rule[], hunk: Hunk, file: FileContext): AppliedRule | undefined {
  for (const { name, apply } of rules) {
    const merged = apply(hunk, file);
    if (merged === undefined) continue;
    const wrong = miscounted(expectedCounts(hunk.base, hunk.ours, hunk.theirs), merged);
    return { rule: name, hunk, merged, replaced: wrong.map(({ line }) => line) };
  }
  return undefined;
}

function declined(why: string, hunksLeft: readonly Hunk[] = [], applied: readonly AppliedRule[] = []): Resolution {
  return { kind: "declined", why, hunksLeft, applied };
}
