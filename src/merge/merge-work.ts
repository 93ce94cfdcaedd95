import { isAncestor, type MergedTrees, mergeBase, mergeTrees, type Oid, type Repository } from "../git/index.ts";

/** A task's commit (`theirs`), the commit where its work began, if that is known, and the target's commit. */
export type Work = { base: Oid | null; ours: Oid; theirs: Oid };

/**
 * Merges a task's work as a person is to see it: what the task began on is no work of its own, even if the
 * target lost that. Throws GIT_FAILED.
 */
export async function mergeWork(repository: Repository, work: Work): Promise<MergedTrees> {
  return mergeTrees(repository, work.ours, work.theirs, await lostBase(repository, work));
}

/** The commit from which both sides of `mergeWork` are compared; undefined for histories that have nothing in common. */
export async function baseOfWork(repository: Repository, work: Work): Promise<Oid | undefined> {
  return (await lostBase(repository, work)) ?? (await mergeBase(repository, work.ours, work.theirs));
}

/** Where the work began, if the target does not hold that commit. */
async function lostBase(repository: Repository, { base, ours, theirs }: Work): Promise<Oid | undefined> {
  if (base === null || (await isAncestor(repository, base, ours))) return undefined;
  return (await isAncestor(repository, base, theirs)) ? base : undefined;
}
