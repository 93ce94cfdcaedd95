import { type FreshCheckout, openRoom, type Room } from "../checkout/index.ts";
import { GraftworkError, type ResolvedFile } from "../domain/index.ts";
import { commitTree, GRAFTWORK, type Oid, type Repository, updateRefs } from "../git/index.ts";

/** What making files anew from a merged tree came to: the tree with them, or the file that could not be made. */
export type MadeAnew = { kind: "made"; tree: Oid; files: readonly ResolvedFile[] } | { kind: "left"; path: string; why: string };

/** A merged tree, laid out as a commit of its own in a fresh folder. */
export type LaidOut = { commit: Oid; room: Room; checkout: FreshCheckout };

/**
 * Lays `tree` out for programs that make `what` (a plural, part of a ref's name) anew in it, and takes all of it away
 * afterwards. A tree that cannot be laid out is QA's to refuse: the answer says why, about `path`. Throws INTERRUPTED
 * once `signal` is aborted: what the programs came to then is no answer.
 */
export async function makeAnew(
  repository: Repository,
  { tree, what, path, signal }: { tree: Oid; what: string; path: string; signal: AbortSignal | undefined },
  work: (laid: LaidOut) => Promise<MadeAnew>,
): Promise<MadeAnew> {
  const message = `graftwork: a merge without its ${what}\n`;
  const commit = await commitTree(repository, { tree, parents: [], message, person: GRAFTWORK });
  const room = openRoom(repository, (id) => `refs/graftwork/qa/${what}.${id}`);
  // In a quarantine git moves no ref, and no garbage collection looks there.
  const isKept = repository.quarantine === undefined;
  try {
    // The user's garbage collection must not take it meanwhile.
    if (isKept) await updateRefs(repository, [{ ref: room.pin, set: commit }], what);
    const made = await work({ commit, room, checkout: await room.checkout(commit) });
    if (signal?.aborted === true) throw interrupted(what);
    return made;
  } catch (error) {
    if (!(error instanceof GraftworkError) || error.code === "INTERRUPTED") throw error;
    return { kind: "left", path, why: error.message };
  } finally {
    await room.dispose();
    if (isKept) await updateRefs(repository, [{ ref: room.pin, remove: true, old: commit }], `${what} are done`);
  }
}

function interrupted(what: string): GraftworkError {
  return new GraftworkError("INTERRUPTED", {
    message: `The merge was stopped while its ${what} were made anew.`,
    because: "it was interrupted; the programs were ended and their folder removed.",
    try: "the same command again: nothing has moved.",
  });
}
