import { regenerateLockfile } from "../../checkout/index.ts";
import { editTree, type Oid, type Repository, type TreeEdit, writeBlob } from "../../git/index.ts";
import { type MadeAnew, makeAnew } from "../made-anew.ts";
import { type LockedVersions, lockDrift, lockedVersions } from "./locked-versions.ts";

/** A conflicted lockfile with its mode after both sides' changes, and its sides as text. */
export type LockConflict = { path: string; mode: string; texts: { base: string | undefined; ours: string; theirs: string } };

const TIMEOUT_MS = 5 * 60_000;

/**
 * Has package managers make conflicted lockfiles anew, in a fresh checkout of `tree`, where all else is merged and the
 * lockfiles still hold git's markers. What they may change is what either side's diff names: anything else is drift.
 */
export async function regenerateLockfiles(
  repository: Repository,
  tree: Oid,
  conflicts: readonly LockConflict[],
  signal?: AbortSignal,
): Promise<MadeAnew> {
  const about = { tree, what: "lockfiles", path: conflicts[0]?.path ?? "", signal };
  return makeAnew(repository, about, async ({ room, checkout: { dir } }) => {
    const edits: TreeEdit[] = [];
    for (const conflict of conflicts) {
      const { path, mode } = conflict;
      const request = {
        dir,
        parentEnv: repository.parentEnv,
        markers: room.marker,
        timeoutMs: TIMEOUT_MS,
        ...(signal !== undefined && { signal }),
      };
      const made = await regenerateLockfile(request, path);
      if (made.kind === "failed") return { kind: "left", path, why: made.reason };
      const drift = driftOf(conflict, made.text);
      if (drift !== undefined) return { kind: "left", path, why: `made anew by \`${made.command}\`, but ${drift}` };
      edits.push({ path, mode, oid: await writeBlob(repository, made.text) });
    }
    const files = conflicts.map(({ path }) => ({ path, rules: ["lockfile"] }));
    return { kind: "made", tree: await editTree(repository, tree, edits), files };
  });
}

function driftOf({ path, texts: { base, ours, theirs } }: LockConflict, merged: string): string | undefined {
  const read = (text: string): LockedVersions | undefined => lockedVersions(path, text);
  const [before, our, their, now] = [base === undefined ? new Map() : read(base), read(ours), read(theirs), read(merged)];
  if (before === undefined || our === undefined || their === undefined || now === undefined) return "a side of it cannot be read";
  return lockDrift(before, our, their, now)[0];
}
