import { commitTree, GRAFTWORK, treeOf } from "./commit-objects.ts";
import { mergeTrees } from "./merge-trees.ts";
import type { Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";
import { emptyTree } from "./tree-differences.ts";

/** The difference between two commits. If `from` is undefined, all files of `to` are new. */
export type ChangeBetween = { from: Oid | undefined; to: Oid };

/** What making a change on a commit would do. It does nothing if the commit has the change already. */
export type Effect = "nothing" | "something" | "conflict";

/** Makes copies of `onto` and `to` whose only parent is a copy of `from`. So git takes `from` as their merge base. */
export async function standIns(repository: Repository, change: ChangeBetween, onto: Oid): Promise<{ ours: Oid; theirs: Oid }> {
  const { base, theirs } = await standInsOf(repository, change);
  return { ours: await commitLikeTree(repository, await treeOf(repository, onto), [base]), theirs };
}

async function standInsOf(repository: Repository, { from, to }: ChangeBetween): Promise<{ base: Oid; theirs: Oid }> {
  const base = await commitLikeTree(repository, from === undefined ? emptyTree(repository) : await treeOf(repository, from), []);
  return { base, theirs: await commitLikeTree(repository, await treeOf(repository, to), [base]) };
}

function commitLikeTree(repository: Repository, tree: Oid, parents: readonly Oid[]): Promise<Oid> {
  return commitTree(repository, { tree, parents, message: "graftwork: stands for a commit\n", person: GRAFTWORK });
}

/** Returns a function that tells what making this change on a commit would do. */
export function effectsOf(repository: Repository, change: ChangeBetween): (onto: Oid) => Promise<Effect> {
  const { mergeAttributes: _, ...plain } = repository;
  let made: ReturnType<typeof standInsOf> | undefined;
  return async (onto) => {
    const { base, theirs } = await (made ??= standInsOf(repository, change));
    const before = await treeOf(repository, onto);
    // With `merge=union` lines never conflict, so a line that was edited would look like one that is there.
    const { clean, tree } = await mergeTrees(plain, await commitLikeTree(repository, before, [base]), theirs);
    if (!clean) return "conflict";
    return tree === before ? "nothing" : "something";
  };
}

/** Tells what making a change on a commit would do. */
export function effectOf(repository: Repository, change: ChangeBetween, onto: Oid): Promise<Effect> {
  return effectsOf(repository, change)(onto);
}
