import { GraftworkError } from "../domain/index.ts";
import { commitTree, GRAFTWORK, isWhole, mergeBase, mergeTrees, type Oid, type Repository, treeOf, updateRefs } from "../git/index.ts";

export type Merged =
  /** `commit` is null where what would land is a merge commit that nobody has made yet. */
  | { kind: "merged"; tree: Oid; commit: Oid | null }
  | { kind: "conflict"; paths: readonly string[] }
  /** The two have no history in common: git merges them by no rule. */
  | { kind: "unrelated"; tree: Oid };

type Pair = { label: string; commit: Oid; base: Oid };

/** What the base would be with the commit merged into it, worked out in memory. */
export async function mergeOntoBase(repository: Repository, { commit, base }: Pair): Promise<Merged> {
  const fork = await mergeBase(repository, base, commit);
  if (fork === undefined) return { kind: "unrelated", tree: await treeOf(repository, commit) };
  if (fork === base) return { kind: "merged", tree: await treeOf(repository, commit), commit };
  const merged = await mergeTrees(repository, base, commit);
  return merged.clean ? { kind: "merged", tree: merged.tree, commit: null } : { kind: "conflict", paths: merged.paths };
}

/**
 * The commit to judge, held by `ref` of the repository: a garbage collection of the user's, at any moment, must not
 * take what is being judged (review-core rule 5). One that came in between is made good by merging again.
 */
export async function pinMerged(repository: Repository, ref: string, pair: Pair, merged: { tree: Oid; commit: Oid | null }): Promise<Oid> {
  const { label, commit, base } = pair;
  for (let tries = 0; tries < 3; tries++) {
    if (tries > 0 && merged.commit === null) await mergeTrees(repository, base, commit);
    const judged =
      merged.commit ??
      (await commitTree(repository, {
        tree: merged.tree,
        parents: [base, commit],
        message: `graftwork qa: ${label} merged onto ${base.slice(0, 12)}\n`,
        person: GRAFTWORK,
      }));
    const refused = await updateRefs(repository, [{ ref, set: judged }], `qa ${label}`);
    if (refused === undefined && (await isWhole(repository, judged, [base]))) return judged;
    await unpin(repository, ref, judged);
  }
  throw new GraftworkError("GIT_FAILED", {
    message: `Objects of ${commit.slice(0, 12)} are missing in the repository, so it could not be judged.`,
    because: "no branch holds the commit any more and git has cleaned up, or the repository is damaged.",
    try: "`git fsck` tells which; the task's next attempt makes the work again.",
    details: { commit, base },
  });
}

/** By compare-and-swap: a ref that is no longer ours stays. */
export async function unpin(repository: Repository, ref: string, judged: Oid): Promise<void> {
  await updateRefs(repository, [{ ref, remove: true, old: judged }], "qa is done");
}
