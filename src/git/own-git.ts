import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolderWhole } from "../state/index.ts";
import type { Repository } from "./repository.ts";
import type { GitCall } from "./run-git.ts";

/** Bytes as they are: no line-end, filter, ident or encoding conversion (review-core rule 6). */
const RAW_ATTRIBUTES = "* -text -filter -ident -working-tree-encoding\n";

/**
 * A git directory of our own over the repository's objects: its configuration, hooks and attributes are written by
 * nobody else, so merging, exporting and rescuing run no code that an agent planted (review-core rules 8, 10, 13).
 * `raw` also converts nothing, which is what saving bytes needs.
 */
export function ownGit(repository: Repository, kind: "plain" | "raw"): Pick<GitCall, "gitDir" | "env" | "cwd"> {
  const gitDir = repository.layout.ownGit(kind);
  if (!existsSync(join(gitDir, "HEAD"))) make(repository, gitDir, kind);
  const shallow = join(repository.commonDir, "shallow");
  return {
    gitDir,
    cwd: gitDir,
    env: {
      GIT_OBJECT_DIRECTORY: join(repository.commonDir, "objects"),
      GIT_ATTR_NOSYSTEM: "1",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      ...(existsSync(shallow) ? { GIT_SHALLOW_FILE: shallow } : {}),
    },
  };
}

function make(repository: Repository, gitDir: string, kind: "plain" | "raw"): void {
  const sha256 = repository.objectFormat === "sha256";
  const config = [
    "[core]",
    `\trepositoryformatversion = ${sha256 ? 1 : 0}`,
    "\tfilemode = true",
    "\tbare = false",
    "\tlogallrefupdates = false",
    "\tautocrlf = false",
    ...(sha256 ? ["[extensions]", "\tobjectformat = sha256"] : []),
    "",
  ].join("\n");
  makeFolderWhole(gitDir, {
    HEAD: "ref: refs/heads/none\n",
    config,
    "refs/.keep": "",
    "info/attributes": kind === "raw" ? RAW_ATTRIBUTES : "",
    "info/exclude": "",
  });
}
