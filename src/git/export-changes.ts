import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit, splitPaths } from "./run-git.ts";
import { withWorkIndex } from "./work-index.ts";

/** Paths of an exported folder that are not as in its commit: changed, gone, or new and not ignored. Its own `.git` is not asked. */
export function exportChanges(repository: Repository, commit: Oid, dir: string): Promise<string[]> {
  return withExport(repository, commit, dir, async (call) => {
    const args = ["ls-files", "-z", "--modified", "--others", "--exclude-standard"];
    return [...new Set(splitPaths(await runGit(repository, { ...call, args })))];
  });
}

/** The commit's tree with `paths` as they are in its exported folder by now, as git would store them. */
export function treeOfExport(repository: Repository, commit: Oid, dir: string, paths: readonly string[]): Promise<Oid> {
  return withExport(repository, commit, dir, async (call) => {
    await runGit(repository, {
      ...call,
      args: ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"],
      stdin: pathBytes(paths.map((path) => `${path}\0`).join("")),
    });
    return (await runGit(repository, { ...call, args: ["write-tree"] })).text.trim();
  });
}

function withExport<Result>(repository: Repository, commit: Oid, dir: string, work: (call: Omit<GitCall, "args">) => Promise<Result>) {
  return withWorkIndex(repository, null, async (indexFile): Promise<Result> => {
    const call = { ...ownGit(repository, "plain"), cwd: dir, workTree: dir, indexFile };
    await runGit(repository, { ...call, args: ["read-tree", commit] });
    return work(call);
  });
}
