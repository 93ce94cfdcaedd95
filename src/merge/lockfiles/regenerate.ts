import { openRoom, regenerateLockfile } from "../../checkout/index.ts";
import { GraftworkError } from "../../domain/index.ts";
import { commitTree, GRAFTWORK, type Oid, type Repository, updateRefs } from "../../git/index.ts";
import { type LockedVersions, lockDrift, lockedVersions } from "./locked-versions.ts";

/** A conflicted lockfile with its sides as text. */
export type LockConflict = { path: string; texts: { base: string | undefined; ours: string; theirs: string } };

export type LockResult = { kind: "made"; texts: ReadonlyMap<string, string> } | { kind: "left"; path: string; why: string };

const TIMEOUT_MS = 5 * 60_000;

/**
 * Has package managers make conflicted lockfiles anew, in a fresh checkout of `tree`, where all else is merged and the
 * lockfiles still hold git's markers. What they may change is what either side's diff names: anything else is drift.
 */
export async function regenerateLockfiles(repository: Repository, tree: Oid, conflicts: readonly LockConflict[]): Promise<LockResult> {
  const commit = await commitTree(repository, {
    tree,
    parents: [],
    message: "graftwork: a merge without its lockfiles\n",
    person: GRAFTWORK,
  });
  const room = openRoom(repository, (id) => `refs/graftwork/qa/lockfiles.${id}`);
  const texts = new Map<string, string>();
  try {
    // The user's garbage collection must not take it meanwhile.
    await updateRefs(repository, [{ ref: room.pin, set: commit }], "lockfiles");
    const { dir } = await room.checkout(commit);
    for (const conflict of conflicts) {
      const { path } = conflict;
      const request = { dir, parentEnv: repository.parentEnv, markers: room.marker, timeoutMs: TIMEOUT_MS };
      const made = await regenerateLockfile(request, path);
      if (made.kind === "failed") return { kind: "left", path, why: `lockfile: ${made.reason}` };
      const drift = driftOf(conflict, made.text);
      if (drift !== undefined) return { kind: "left", path, why: `lockfile: made anew by \`${made.command}\`, but ${drift}` };
      texts.set(path, made.text);
    }
    return { kind: "made", texts };
  } catch (error) {
    // A tree that cannot be checked out here is QA's to refuse.
    if (!(error instanceof GraftworkError)) throw error;
    return { kind: "left", path: conflicts[0]?.path ?? "", why: `lockfile: ${error.message}` };
  } finally {
    await room.dispose();
    await updateRefs(repository, [{ ref: room.pin, remove: true, old: commit }], "lockfiles are done");
  }
}

function driftOf({ path, texts: { base, ours, theirs } }: LockConflict, merged: string): string | undefined {
  const read = (text: string): LockedVersions | undefined => lockedVersions(path, text);
  const [before, our, their, now] = [base === undefined ? new Map() : read(base), read(ours), read(theirs), read(merged)];
  if (before === undefined || our === undefined || their === undefined || now === undefined) return "a side of it cannot be read";
  return lockDrift(before, our, their, now)[0];
}
