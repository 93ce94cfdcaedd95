import { isAncestor, type MergedTrees, mergeBase, mergeTrees, type Oid, type Repository } from "../git/index.ts";

/** A task's commit (`theirs`), the commit where its work began, if that is known, and the target's commit. */
export type Work = { base: Oid | null; ours: Oid; theirs: Oid };

/**
 * Merges a task's work as a person is to see it: what the task began on counts as no work of it, also if the target
 * does not hold that any more. Throws GIT_FAILED.
 */
export async function mergeWork(repository: Repository, work: Work): Promise<MergedTrees> {
  return mergeTrees(repository, work.ours, work.theirs, (await isOutside(repository, work)) ? (work.base ?? undefined) : undefined);
}

/** The commit from which both sides of `mergeWork` are compared; undefined for histories that have nothing in common. */
export async function baseOfWork(repository: Repository, work: Work): Promise<Oid | undefined> {
  return (await isOutside(repository, work)) ? (work.base ?? undefined) : mergeBase(repository, work.ours, work.theirs);
}

async function isOutside(repository: Repository, { base, ours, theirs }: Work): Promise<boolean> {
  return base !== null && !(await isAncestor(repository, base, ours)) && (await isAncestor(repository, base, theirs));
}
