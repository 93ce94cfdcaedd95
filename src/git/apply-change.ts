import { commitTree, GRAFTWORK, treeOf } from "./commit-objects.ts";
import { mergeTrees } from "./merge-trees.ts";
import type { Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";
import { emptyTree } from "./tree-differences.ts";

/** The difference between two commits. If `from` is undefined, all files of `to` are new. */
export type ChangeBetween = { from: Oid | undefined; to: Oid };

/** Makes copies of `onto` and `to` whose only parent is a copy of `from`. So git takes `from` as their merge base. */
export async function standIns(repository: Repository, { from, to }: ChangeBetween, onto: Oid): Promise<{ ours: Oid; theirs: Oid }> {
  const like = async (tree: Oid, parents: readonly Oid[]): Promise<Oid> =>
    commitTree(repository, { tree, parents, message: "graftwork: stands for a commit\n", person: GRAFTWORK });
  const base = await like(from === undefined ? emptyTree(repository) : await treeOf(repository, from), []);
  return { ours: await like(await treeOf(repository, onto), [base]), theirs: await like(await treeOf(repository, to), [base]) };
}

/** Tells what making a change on a commit would do. It does nothing if the commit has the change already. */
export async function effectOf(repository: Repository, change: ChangeBetween, onto: Oid): Promise<"nothing" | "something" | "conflict"> {
  const { ours, theirs } = await standIns(repository, change, onto);
  const { clean, tree } = await mergeTrees(repository, ours, theirs);
  if (!clean) return "conflict";
  return tree === (await treeOf(repository, onto)) ? "nothing" : "something";
}
