import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { makeFolderWhole, type OwnGitKind, replaceFile, symlinkSync } from "../state/index.ts";
import type { Repository } from "./repository.ts";
import type { GitCall } from "./run-git.ts";

/** Bytes as they are: no line-end, filter, ident or encoding conversion (review-core rule 6). */
const RAW_ATTRIBUTES = "* -text -filter -ident -working-tree-encoding\n";

/** What a `pinned` git directory knows of the repository's settings. */
type Shape = { config: string; attributes: string };

/**
 * A git directory of our own over the repository's objects: its configuration, hooks and attributes are written by
 * nobody else, so merging, exporting, rescuing and writing a slot's files run no code that an agent planted
 * (review-core rules 8, 10, 13). See `OwnGitKind` for what each kind is good for.
 */
export function ownGit(repository: Repository, kind: OwnGitKind): Pick<GitCall, "gitDir" | "env" | "cwd"> {
  const gitDir = repository.layout.ownGit(kind);
  if (!existsSync(join(gitDir, "HEAD"))) makeOwnGit(repository, kind, { config: "", attributes: kind === "raw" ? RAW_ATTRIBUTES : "" });
  const shallow = join(repository.commonDir, "shallow");
  // The user's own settings (Git LFS is often set up there) shape files too; what only reads objects needs none.
  const alone = { GIT_ATTR_NOSYSTEM: "1", GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  return {
    gitDir,
    cwd: gitDir,
    env: {
      GIT_OBJECT_DIRECTORY: join(repository.commonDir, "objects"),
      ...(kind === "pinned" ? {} : alone),
      ...(existsSync(shallow) ? { GIT_SHALLOW_FILE: shallow } : {}),
    },
  };
}

/** Makes one, or brings it to another shape. */
export function makeOwnGit(repository: Repository, kind: OwnGitKind, shape: Shape): void {
  const gitDir = repository.layout.ownGit(kind);
  const sha256 = repository.objectFormat === "sha256";
  const config = [
    "[core]",
    `\trepositoryformatversion = ${sha256 ? 1 : 0}`,
    "\tfilemode = true",
    "\tbare = false",
    "\tlogallrefupdates = false",
    ...(kind === "pinned" ? [] : ["\tautocrlf = false"]),
    ...(sha256 ? ["[extensions]", "\tobjectformat = sha256"] : []),
    shape.config,
  ].join("\n");
  if (existsSync(join(gitDir, "HEAD"))) {
    replaceFile(join(gitDir, "config"), config);
    replaceFile(join(gitDir, "info", "attributes"), shape.attributes);
    return;
  }
  makeFolderWhole(gitDir, {
    HEAD: "ref: refs/heads/none\n",
    config,
    "refs/.keep": "",
    "info/attributes": shape.attributes,
    "info/exclude": "",
  });
  // Filters find their own stores through the git directory they are run in.
  if (kind !== "pinned") return;
  for (const store of ["lfs", "git-crypt"]) {
    if (lstatSync(join(gitDir, store), { throwIfNoEntry: false }) === undefined)
      symlinkSync(join(repository.commonDir, store), join(gitDir, store));
  }
}
