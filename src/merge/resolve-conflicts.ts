import picomatch from "picomatch";
import type { Config, ResolvedFile } from "../domain/index.ts";
import {
  type ConflictStage,
  editTree,
  type MergedTrees,
  mergeTrees,
  type Oid,
  type Repository,
  readBlob,
  type TreeEdit,
  writeBlob,
} from "../git/index.ts";
import { recall } from "./resolution-memory.ts";
import { type Resolution, type ResolverLevel, resolveFile } from "./resolvers/resolve-file.ts";
import { remembered } from "./resolvers/rules/remembered.ts";
import { union } from "./resolvers/rules/union.ts";

/** How conflicts are resolved without a person (spec: merge "How" 5). */
export type Resolving = {
  level: ResolverLevel;
  /** Globs of files in which what both sides added at one place is kept, ours first. */
  union: readonly string[];
};

/** A file that the resolvers could not close: why, which rules closed a part of it, and how many places are left. */
export type LeftFile = { path: string; why: string; solved: readonly string[]; hunksLeft: number };

/** Off where the resolvers are not among what is tried for a conflict. */
export function resolvingOf({ merge }: Pick<Config, "merge">): Resolving {
  return { level: merge.onConflict.includes("resolvers") ? merge.level : "off", union: merge.union };
}

export type Resolved = { kind: "resolved"; tree: Oid; files: readonly ResolvedFile[] } | { kind: "left"; files: readonly LeftFile[] };

type Conflict = Extract<MergedTrees, { clean: false }>;

/**
 * What `tip` would be with the commit merged into it: by git, and where that is a conflict by the rules, if they close
 * all of it.
 */
export async function mergeOnto(
  repository: Repository,
  tip: Oid,
  commit: Oid,
  resolving: Resolving,
): Promise<{ kind: "merged"; tree: Oid; resolved: readonly ResolvedFile[] } | { kind: "conflict"; paths: readonly string[] }> {
  const merged = await mergeTrees(repository, tip, commit);
  if (merged.clean) return { kind: "merged", tree: merged.tree, resolved: [] };
  const done = await resolveConflicts(repository, merged, resolving);
  if (done.kind === "left") return { kind: "conflict", paths: merged.paths };
  return { kind: "merged", tree: done.tree, resolved: done.files };
}

/**
 * Resolves the conflicts of a merge by the rules of a level, in memory. All or nothing: where one file is left the
 * merge stays a conflict, with what the rules found on the way.
 */
export async function resolveConflicts(repository: Repository, conflict: Conflict, resolving: Resolving): Promise<Resolved> {
  const isUnion = resolving.union.length === 0 ? () => false : picomatch([...resolving.union], { dot: true });
  const edits: TreeEdit[] = [];
  const files: ResolvedFile[] = [];
  const left: LeftFile[] = [];
  for (const path of conflict.paths) {
    const stages = conflict.stages.filter((stage) => stage.path === path);
    const mode = mergedMode(stages);
    const sides = mode === undefined ? undefined : await textsOf(repository, stages);
    const done: Resolution =
      sides === undefined
        ? { kind: "declined", why: "not an ordinary text file on both sides", hunksLeft: [], applied: [] }
        : resolveFile({
            level: resolving.level,
            path,
            ...sides,
            also: [remembered((hunk) => recall(repository, path, hunk)), ...(isUnion(path) ? [union] : [])],
          });
    const rules = [...new Set(done.applied.map(({ rule }) => rule))];
    if (done.kind === "declined" || mode === undefined) {
      const why = done.kind === "declined" ? done.why : "its mode is in conflict";
      left.push({ path, why, solved: rules, hunksLeft: done.kind === "declined" ? done.hunksLeft.length : 0 });
      continue;
    }
    edits.push({ path, mode, oid: await writeBlob(repository, done.text) });
    files.push({ path, rules });
  }
  // A conflict without a path is one of folders and renames.
  if (left.length > 0 || files.length === 0) return { kind: "left", files: left };
  return { kind: "resolved", tree: await editTree(repository, conflict.tree, edits), files };
}

const REGULAR = new Set(["100644", "100755"]);

/** The mode after both sides' changes; undefined where a side is missing, is no regular file, or both changed it. */
function mergedMode(stages: readonly ConflictStage[]): string | undefined {
  const of = (stage: number): string | undefined => stages.find((one) => one.stage === stage)?.mode;
  const [base, ours, theirs] = [of(1), of(2), of(3)];
  if (ours === undefined || theirs === undefined || !REGULAR.has(ours) || !REGULAR.has(theirs)) return undefined;
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

type Sides = { base: string | undefined; ours: string | undefined; theirs: string | undefined };

/** The sides as text; undefined where one of them is not UTF-8. */
async function textsOf(repository: Repository, stages: readonly ConflictStage[]): Promise<Sides | undefined> {
  const texts: (string | undefined)[] = [];
  for (const n of [1, 2, 3]) {
    const stage = stages.find((one) => one.stage === n);
    const bytes = stage === undefined ? undefined : await readBlob(repository, stage.oid);
    const text = bytes?.toString("utf8");
    if (bytes !== undefined && text !== undefined && !Buffer.from(text).equals(bytes)) return undefined;
    texts.push(text);
  }
  const [base, ours, theirs] = texts;
  return { base, ours, theirs };
}
