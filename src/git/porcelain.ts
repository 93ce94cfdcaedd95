import type { Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";

export type LoggedCommit = { commit: Oid; subject: string; at: string };

/**
 * The first-parent commits of `from..to`, newest first, at most `limit`: for people to read. `git log` runs nothing
 * that a repository configures; everything hot or hardened goes through `run-git.ts` instead of this library.
 */
export async function firstParentLog(repository: Repository, from: Oid, to: Oid, limit: number): Promise<LoggedCommit[]> {
  const { simpleGit } = await import("./simple-git-package.ts");
  const list = await simpleGit(repository.root).log({
    from,
    to,
    symmetric: false,
    maxCount: limit,
    format: { commit: "%H", subject: "%s", at: "%cI" },
    "--first-parent": null,
  });
  return list.all.map(({ commit, subject, at }) => ({ commit, subject, at }));
}
