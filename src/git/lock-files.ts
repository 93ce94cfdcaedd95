import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "./repository.ts";

/** A lock that some git made and has not removed (yet). */
export type LockFile = {
  path: string;
  /** Name of the worktree's administration folder it is in; null: it is the repository's. */
  worktree: string | null;
  modifiedMs: number;
};

/** Locks that keep git from working: in the repository itself and in the folders of its worktrees. */
export function lockFiles({ commonDir }: Repository): LockFile[] {
  const worktrees = join(commonDir, "worktrees");
  const names = existsSync(worktrees) ? readdirSync(worktrees) : [];
  return [
    ...["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock"].map((name) => ({
      path: join(commonDir, name),
      worktree: null,
    })),
    ...names.flatMap((worktree) => ["index.lock", "HEAD.lock"].map((name) => ({ path: join(worktrees, worktree, name), worktree }))),
  ].flatMap((lock) => {
    const stat = statSync(lock.path, { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ ...lock, modifiedMs: stat.mtimeMs }];
  });
}
