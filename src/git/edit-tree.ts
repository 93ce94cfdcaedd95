import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { withScratchIndex } from "./scratch-index.ts";

/** One path of a tree set to a blob, or taken out. */
export type TreeEdit = { path: string; mode: string; oid: Oid } | { path: string; remove: true };

/** A tree like `tree` with some paths changed; no folder is touched. */
export async function editTree(repository: Repository, tree: Oid, edits: readonly TreeEdit[]): Promise<Oid> {
  return withScratchIndex(repository, async (indexFile) => {
    await runGit(repository, { ...ownGit(repository, "plain"), indexFile, args: ["read-tree", tree] });
    return treeOfIndex(repository, indexFile, edits);
  });
}

/** Returns the tree that an index holds after these edits. An edited path may have been in conflict. */
export async function treeOfIndex(repository: Repository, indexFile: string, edits: readonly TreeEdit[]): Promise<Oid> {
  const call = { ...ownGit(repository, "plain"), indexFile };
  const zero = "0".repeat(repository.objectFormat === "sha256" ? 64 : 40);
  const lines = edits.flatMap((edit) => {
    const gone = `0 ${zero}\t${edit.path}\0`;
    return "remove" in edit ? [gone] : [gone, `${edit.mode} ${edit.oid}\t${edit.path}\0`];
  });
  await runGit(repository, { ...call, args: ["update-index", "-z", "--index-info"], stdin: pathBytes(lines.join("")) });
  return (await runGit(repository, { ...call, args: ["write-tree"] })).text.trim();
}
