import { join } from "node:path";
import { GraftworkError } from "../domain/index.ts";

/** Where a path is from. What is on disk may be in a repository of its own, so it may have a `.git`. */
type From = "tree" | "disk";

/**
 * Returns why a path is refused; undefined if it is sound. These are the rules of git's `verify_path` for every system: with
 * `core.protectHFS` and `core.protectNTFS` on.
 */
export function pathProblem(path: string, from: From = "tree"): string | undefined {
  if (path.includes("\0")) return "it has a NUL in it";
  for (const part of path.replace(/\/$/, "").split("/")) {
    if (part === "") return "a folder or file has no name";
    if (part === "." || part === "..") return `${JSON.stringify(part)} leads elsewhere`;
    if (from === "disk") continue;
    // On Windows a backslash ends the name of a folder.
    if (part.split("\\").some((name) => name === ".." || isDotGit(name)))
      return `${JSON.stringify(part)} means ".git" or ".." on some system`;
  }
  return undefined;
}

/**
 * Returns where a path that git gave is, below a folder. Throws TREE_UNSAFE if git itself would not write there: the path
 * may lead out of the folder, or into a `.git`. `from` is `disk` for files that were found in the folder.
 */
export function below(folder: string, path: string, from: From = "tree"): string {
  const problem = pathProblem(path, from);
  if (problem === undefined) return join(folder, path);
  throw new GraftworkError("TREE_UNSAFE", {
    message: `Nothing is read or written at ${JSON.stringify(path)}, in ${folder}.`,
    because: `git itself checks out no such path: ${problem}.`,
    try: "make the commit that has it anew, with `git add` and `git commit`: they refuse such names.",
    details: { path },
  });
}

/** Letters that HFS+ passes over in names. */
const PASSED_OVER = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu;

/** Whether a name is `.git` on Linux, macOS or Windows: there `GIT~1`, `.git.`, `.git ` and `.git:stream` mean the same. */
function isDotGit(name: string): boolean {
  return /^(?:\.git|git~1)[ .]*(?::.*)?$/su.test(name.replaceAll(PASSED_OVER, "").toLowerCase());
}
