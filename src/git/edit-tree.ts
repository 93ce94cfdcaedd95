import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { mkdirSync, rmSync } from "../state/index.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** One path of a tree set to a blob, or taken out. */
export type TreeEdit = { path: string; mode: string; oid: Oid } | { path: string; remove: true };

/** A tree like `tree` with some paths changed; no folder is touched. */
export async function editTree(repository: Repository, tree: Oid, edits: readonly TreeEdit[]): Promise<Oid> {
  const { scratch } = repository.layout;
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const indexFile = join(scratch, `index.${randomUUID()}`);
  const call = { ...ownGit(repository, "plain"), indexFile };
  const zero = "0".repeat(repository.objectFormat === "sha256" ? 64 : 40);
  const lines = edits.map((edit) => ("remove" in edit ? `0 ${zero}\t${edit.path}\0` : `${edit.mode} ${edit.oid}\t${edit.path}\0`));
  try {
    await runGit(repository, { ...call, args: ["read-tree", tree] });
    await runGit(repository, { ...call, args: ["update-index", "-z", "--index-info"], stdin: pathBytes(lines.join("")) });
    return (await runGit(repository, { ...call, args: ["write-tree"] })).text.trim();
  } finally {
    rmSync(indexFile, { force: true });
  }
}
