import { GRAFTWORK } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { type SlotTree, slotFiles } from "./slot-tree.ts";
import { withWorkIndex } from "./work-index.ts";

/** The same work gives the same commit, whoever looks and whenever. */
const NOBODY = Object.fromEntries(
  ["AUTHOR", "COMMITTER"].flatMap((who) => [
    [`GIT_${who}_NAME`, GRAFTWORK.name],
    [`GIT_${who}_EMAIL`, GRAFTWORK.email],
    [`GIT_${who}_DATE`, "2000-01-01T00:00:00Z"],
  ]),
);

/**
 * A throw-away commit on `head` with `paths` as they are in the slot, as git would store them: what a commit made there
 * now would be. The slot's own index is not touched and no ref holds the commit: call it in a quarantine. Throws
 * GIT_FAILED where a file changes its kind at that moment.
 */
export function snapshotSlot(repository: Repository, slot: SlotTree, head: Oid, paths: readonly string[]): Promise<Oid> {
  const files = slotFiles(repository, slot);
  return withWorkIndex(repository, null, async (indexFile) => {
    const call = { ...files, indexFile };
    await runGit(repository, { ...call, args: ["read-tree", head] });
    await runGit(repository, {
      ...call,
      args: ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"],
      stdin: pathBytes(paths.map((path) => `${path}\0`).join("")),
    });
    const tree = (await runGit(repository, { ...call, args: ["write-tree"] })).text.trim();
    const env = { ...files.env, ...NOBODY };
    return (await runGit(repository, { ...call, env, args: ["commit-tree", "-p", head, "-m", "unsaved work", tree] })).text.trim();
  });
}
