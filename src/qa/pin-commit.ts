import { GraftworkError, type VerifyRequest } from "../domain/index.ts";
import { isWhole, type Oid, type Repository, updateRefs } from "../git/index.ts";

/**
 * Holds the commit to judge by `ref`, so that a garbage collection takes none of its objects during the verification.
 * Throws GIT_FAILED if objects are missing. That is checked after the ref exists: a collection may have run just before.
 */
export async function pinCommit(repository: Repository, ref: string, request: VerifyRequest): Promise<void> {
  const { label, commit, base } = request;
  const refused = await updateRefs(repository, [{ ref, set: commit }], `qa ${label}`);
  if (refused === undefined && (await isWhole(repository, commit, [base]))) return;
  await unpin(repository, ref, commit);
  throw objectsMissing(request);
}

/** Removes the pin by compare-and-swap: a ref that is no longer ours stays. */
export async function unpin(repository: Repository, ref: string, commit: Oid): Promise<void> {
  await updateRefs(repository, [{ ref, remove: true, old: commit }], "qa is done");
}

export function objectsMissing({ commit, base }: VerifyRequest, cause?: unknown): GraftworkError {
  return new GraftworkError("GIT_FAILED", {
    message: `Objects of ${commit.slice(0, 12)} are missing in the repository, so it could not be judged.`,
    because: "no branch holds the commit any more and git has cleaned up, or the repository is damaged.",
    try: "`git fsck` tells which; the task's next attempt makes the work again.",
    details: { commit, base },
    ...(cause === undefined ? {} : { cause }),
  });
}
