import {
  type ConflictStage,
  changedPaths,
  isAncestor,
  mergeBase,
  mergeTrees,
  notBlended,
  type Oid,
  type Repository,
  readBlob,
  subjects,
} from "../git/index.ts";
import { gitSays, kindOf } from "./conflict-kind.ts";
import { isOrdinary, isText } from "./conflict-sides.ts";
import { leftText, type Resolving, resolveConflicts, whyNotBlended } from "./resolve-conflicts.ts";

/** A conflict that an agent can be asked to resolve. */
export type OpenConflict = {
  kind: "conflict";
  /** The task's commit, and the target's that it collides with. */
  commit: Oid;
  onto: Oid;
  /** The merge as far as git came, with diff3 markers in the conflicted files. */
  tree: Oid;
  stages: readonly ConflictStage[];
  files: readonly { path: string; kind: string; why: string }[];
};

/**
 * Returns what a merge leaves to an agent. `merges`: git or the rules make it. `unfit`: nothing could be edited, since
 * names collide, a file is not text on all sides, or `.gitattributes` forbids to blend it.
 */
export async function openConflict(
  repository: Repository,
  onto: Oid,
  commit: Oid,
  resolving: Resolving,
): Promise<OpenConflict | { kind: "merges" } | { kind: "unfit"; why: string }> {
  const merged = await mergeTrees(repository, onto, commit);
  if (merged.clean) return { kind: "merges" };
  const rules = await resolveConflicts(repository, merged, resolving);
  if (rules.kind === "resolved") return { kind: "merges" };
  if (merged.late === true) return { kind: "unfit", why: gitSays(merged).join("; ") };
  if (merged.paths.length === 0) {
    const [first] = gitSays(merged);
    return { kind: "unfit", why: `folders or names collide, not lines${first === undefined ? "" : `; git says: ${first}`}` };
  }
  const forbidden = await notBlended(repository, merged.paths);
  for (const { path, why } of rules.files) {
    const no = forbidden.get(path);
    if (no !== undefined && why === whyNotBlended(no)) return { kind: "unfit", why: `${path}: ${why}` };
  }
  for (const stage of merged.stages)
    if (stage.moved !== undefined || !isOrdinary(stage) || !isText(await readBlob(repository, stage.oid)))
      return { kind: "unfit", why: `${stage.path} is no text file on both sides` };
  const left = new Map(rules.files.map((file) => [file.path, file]));
  const files = merged.paths.map((path) => {
    const file = left.get(path);
    const kind = kindOf(merged.stages.filter((stage) => stage.path === path));
    return { path, kind, why: file === undefined ? "rules would close it, and wait for the others" : leftText(file) };
  });
  return { kind: "conflict", commit, onto, tree: merged.tree, stages: merged.stages, files };
}

/** Commits on either side of a conflict since they parted, newest first. */
export async function sidesOf(repository: Repository, { onto, commit }: OpenConflict): Promise<{ ours: string[]; theirs: string[] }> {
  const base = await mergeBase(repository, onto, commit);
  if (base === undefined) return { ours: [], theirs: [] };
  const [ours, theirs] = await Promise.all([subjects(repository, base, onto, SUBJECTS), subjects(repository, base, commit, SUBJECTS)]);
  return { ours, theirs };
}

const SUBJECTS = 20;

/** Those of the landed tasks with whose work it collides: in the target, not in the task's branch, in the same files. */
export async function collidingWith(
  repository: Repository,
  { onto, commit, files }: OpenConflict,
  landed: readonly { task: string; merge: Oid }[],
): Promise<string[]> {
  const wanted = new Set(files.map(({ path }) => path));
  const found: string[] = [];
  for (const { task, merge } of landed) {
    if (!(await isAncestor(repository, merge, onto)) || (await isAncestor(repository, merge, commit))) continue;
    if ((await changedPaths(repository, `${merge}^`, merge)).some((path) => wanted.has(path))) found.push(task);
  }
  return found;
}
