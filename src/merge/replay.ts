import type { ResolvedFile } from "../domain/index.ts";
import { commitLike, type Listed, mergeTrees, messageOf, type Oid, type Repository, standIns, treeOf } from "../git/index.ts";
import type { MergeContext } from "./context.ts";
import { type HeldBack, type LeftFile, mergeOnto } from "./resolve-conflicts.ts";

export type Replayed =
  | { kind: "replayed"; commit: Oid; tree: Oid; resolved: readonly ResolvedFile[]; both: readonly string[] }
  | { kind: "conflict"; paths: readonly string[]; left: readonly LeftFile[]; reason: string; person?: true }
  | HeldBack;

type Conflict = Exclude<Extract<Replayed, { kind: "conflict" }>, HeldBack>;

/**
 * Puts commits, oldest first, onto a tip one by one. A merge among them must be one that git makes by itself: what
 * somebody changed in it cannot be told apart from what it merged. `wasHeld`: the target held the rest of `branch`.
 */
export async function replay(
  { repository, resolving, target }: Pick<MergeContext, "repository" | "resolving" | "target">,
  tip: { commit: Oid; tree: Oid },
  { own, branch, wasHeld }: { own: readonly Listed[]; branch: string; wasHeld: boolean },
): Promise<Replayed> {
  const person = wasHeld ? { person: true as const } : {};
  const why = wasHeld
    ? `${target} held commits of its branch and holds them no longer, so only its own are replayed`
    : "it began on work that did not land, so only its own commits are replayed";
  const fail = async (at: Oid, what: string, more: Pick<Conflict, "paths" | "left"> = { paths: [], left: [] }): Promise<Replayed> => {
    const [subject] = (await messageOf(repository, at)).split("\n");
    return { kind: "conflict", ...more, ...person, reason: `${why}; ${what} (${at.slice(0, 12)} ${subject})` };
  };
  const resolved: ResolvedFile[] = [];
  const commits = new Set(own.map((one) => one.commit));
  // Commits side by side have no order: one may take back what the other made, and their merge keeps it.
  const joint = own.find(({ parents }) => parents.filter((parent) => commits.has(parent)).length > 1);
  if (joint !== undefined) return fail(joint.commit, "a merge commit among them joins two of its own lines");
  let { commit, tree } = tip;
  for (const one of own) {
    if (one.parents.length > 1) {
      if (!(await isPlainMerge(repository, one))) return fail(one.commit, "a merge commit among them changed lines itself");
      continue;
    }
    const step = await standIns(repository, { from: one.parents[0], to: one.commit }, commit);
    const merged = await mergeOnto(repository, step.ours, step.theirs, resolving);
    if (merged.kind === "conflict" && "isProtected" in merged) return merged;
    if (merged.kind === "conflict") {
      const { paths, left } = merged;
      return fail(one.commit, `one of them collides in ${paths.join(", ")}`, { paths, left });
    }
    resolved.push(...merged.resolved);
    if (merged.tree === tree) continue;
    commit = await commitLike(repository, one.commit, { tree: merged.tree, parents: [commit] });
    tree = merged.tree;
  }
  // A merge that git makes by itself brings nothing of its own.
  if (own.every(({ parents }) => parents.length > 1)) {
    const reason = `${target} held this work and lost it since, so it does not come back by itself: \`git merge ${branch}\` on ${target} brings it, if that is meant`;
    return { kind: "conflict", paths: [], left: [], reason, person: true };
  }
  return { kind: "replayed", commit, tree, resolved, both: [] };
}

/** True if git makes the same merge of the two parents by itself. */
async function isPlainMerge(repository: Repository, { commit, parents }: Listed): Promise<boolean> {
  const [ours, theirs, ...more] = parents;
  if (ours === undefined || theirs === undefined || more.length > 0) return false;
  const merged = await mergeTrees(repository, ours, theirs);
  return merged.clean && merged.tree === (await treeOf(repository, commit));
}
