import { joinLines, splitLines } from "./align/text-lines.ts";
import { type Hunk, mergeLines } from "./align/three-way.ts";
import { unmergeable } from "./file-kind.ts";
import { expectedCounts, miscounted } from "./proof/line-counts.ts";
import { proveBy } from "./prove.ts";
import type { FileContext, Rule } from "./rule.ts";
import { rulesOf } from "./rules.ts";
import { alignMembers } from "./syntax/align-members.ts";
import { hasSyntax, loadParser, type Parse } from "./syntax/parse.ts";
import { memberDefects } from "./syntax/prove-members.ts";
import { mapSides, type Sides } from "./syntax/sides.ts";

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
  const texts = { base: base ?? "", ours, theirs };
  const parse = hasSyntax(path) ? await loadParser() : undefined;
  const rules = [...also, ...rulesOf(level)];
  const byLines = mergeByLines(path, texts, rules);
  const resolution = proved(path, texts, byLines, parse);
  // Of two new files of one name nobody knows whether they are meant to be one.
  if (resolution.kind === "resolved" || parse === undefined || base === undefined) return resolution;
  const byMembers = mergeByMembers(path, texts, resolution.hunksLeft, rules, parse);
  if (level === "safe" && byMembers?.applied.some(({ rule }) => rule === "members") === true) return resolution;
  const second = byMembers === undefined ? resolution : proved(path, texts, byMembers, parse);
  return second.kind === "resolved" ? second : resolution;
}

/** A merge that closes all hunks and passes the proof; else what speaks against it. */
function proved(path: string, { base, ours, theirs }: Sides<string>, merged: Merged, parse: Parse | undefined): Resolution {
  const { text, applied, hunksLeft, defects } = merged;
  if (hunksLeft.length > 0) return declined("a conflict has no rule that fits", hunksLeft, applied);
  const replaced = applied.flatMap((one) => one.replaced);
  const finding = defects[0] ?? proveBy(parse, base, ours, theirs, text, path, replaced)[0]?.what;
  if (finding === undefined) return { kind: "resolved", text, applied };
  return declined(
    `the result fails its proof: ${finding}`,
    applied.map(({ hunk }) => hunk),
    applied,
  );
}

type Merged = { text: string; applied: readonly AppliedRule[]; hunksLeft: readonly Hunk[]; defects: readonly string[] };

function mergeByLines(path: string, texts: Sides<string>, rules: readonly Rule[]): Merged {
  const file: FileContext = { path, ...mapSides(texts, splitLines) };
  const applied: AppliedRule[] = [];
  const hunksLeft: Hunk[] = [];
  const lines: string[] = [];
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
  return { text: joinLines(lines), applied, hunksLeft, defects: [] };
}

/** What the syntax tree and then the rules make of a file with these hunks; undefined where the tree says nothing. */
function mergeByMembers(
  path: string,
  texts: Sides<string>,
  hunks: readonly Hunk[],
  rules: readonly Rule[],
  parse: Parse,
): Merged | undefined {
  const aligned = alignMembers(path, texts, hunks, parse);
  if (aligned === undefined) return undefined;
  const done = mergeByLines(path, aligned.texts, rules);
  const counts = expectedCounts(splitLines(texts.base), splitLines(texts.ours), splitLines(texts.theirs));
  const replaced = miscounted(counts, splitLines(done.text))
    .map(({ line }) => line)
    .filter(aligned.isMembers);
  const placed = aligned.changes.map((change) => ({ ...change, replaced }));
  return { ...done, applied: [...placed, ...done.applied], defects: memberDefects(path, done.text, aligned.wanted, parse) };
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
