import { createHash } from "node:crypto";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { makeFolderWhole, type OwnGitKind, readText, rmSync, symlinkSync, writableStore } from "../state/index.ts";
import { type Pinned, pinnedShape } from "./pinned-record.ts";
import type { Repository } from "./repository.ts";
import type { GitCall } from "./run-git.ts";

/** Bytes as they are: no line-end, filter, ident or encoding conversion (review-core rule 6). */
const RAW_ATTRIBUTES = "* -text -filter -ident -working-tree-encoding\n";

/**
 * A git directory of our own over the repository's objects: its configuration, hooks and attributes are written by
 * nobody else, so merging, exporting, rescuing and writing a slot's files run no code that an agent planted
 * (review-core rules 8, 10, 13). It lies in the user's state folder, named by its content, and is checked before each
 * use. If anything in it changed, it is made again. See `OwnGitKind` for what each kind is good for.
 */
export function ownGit(repository: Repository, kind: OwnGitKind): Pick<GitCall, "gitDir" | "env" | "cwd"> {
  const gitDir = ownFolder(repository, kind);
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

function ownFolder(repository: Repository, kind: OwnGitKind): string {
  const files = filesOf(repository, kind);
  const name = `${kind}-${createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12)}`;
  const gitDir = join(writableStore(repository.layout), "git", name);
  const links = kind === "pinned" ? linksOf(repository) : {};
  if (isAsMade(gitDir, files, links)) return gitDir;
  rmSync(gitDir, { recursive: true, force: true });
  makeFolderWhole(gitDir, files);
  for (const [store, target] of Object.entries(links)) if (!isLink(join(gitDir, store), target)) symlinkSync(target, join(gitDir, store));
  return gitDir;
}

/** Filters find their own stores through the git directory they are run in. */
function linksOf({ commonDir }: Repository): Readonly<Record<string, string>> {
  return { lfs: join(commonDir, "lfs"), "git-crypt": join(commonDir, "git-crypt") };
}

function filesOf(repository: Repository, kind: OwnGitKind): Readonly<Record<string, string>> {
  const sha256 = repository.objectFormat === "sha256";
  const shape: Pinned["shape"] =
    kind === "pinned" ? pinnedShape(repository) : { config: "", attributes: kind === "raw" ? RAW_ATTRIBUTES : "" };
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
  return { HEAD: "ref: refs/heads/none\n", config, "refs/.keep": "", "info/attributes": shape.attributes, "info/exclude": "" };
}

/** True if all its files are as they were made, and no other file is there. */
function isAsMade(gitDir: string, files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>>): boolean {
  try {
    const expected = new Set([...Object.keys(files), ...Object.keys(links), "info", "refs"]);
    const found = ["", "info", "refs"].flatMap((below) => readdirSync(join(gitDir, below)).map((name) => join(below, name)));
    return (
      found.length === expected.size &&
      found.every((name) => expected.has(name)) &&
      Object.entries(files).every(([name, text]) => readText(join(gitDir, name)) === text) &&
      Object.entries(links).every(([name, target]) => isLink(join(gitDir, name), target))
    );
  } catch {
    return false;
  }
}

function isLink(path: string, target: string): boolean {
  try {
    return readlinkSync(path) === target;
  } catch {
    return false;
  }
}
