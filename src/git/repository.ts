import { existsSync, realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { type Layout, layoutOf } from "../state/index.ts";
import type { Oid } from "./oid.ts";
import { keepFacts, knownFacts, type RepositoryFacts } from "./repository-facts.ts";
import { type GitContext, runGit } from "./run-git.ts";

/** A repository as every other module knows it; made by `openRepository`, plain data but for the log hook. */
export type Repository = GitContext & {
  /** Real path of the common git directory. */
  commonDir: string;
  /** Real path of the main worktree. */
  root: string;
  objectFormat: "sha1" | "sha256";
  layout: Layout;
  /** The `merge` attributes that its merges honour, and the commit that they are from: see `withMergeAttributes`. */
  mergeAttributes?: { file: string; commit: Oid };
};

const OLDEST = [2, 38] as const;

/**
 * Finds the repository from any folder in it, slots and sub-folders included. Throws NOT_A_REPOSITORY, GIT_MISSING,
 * GIT_TOO_OLD, REPOSITORY_UNSUPPORTED (a bare one).
 */
export async function openRepository(cwd: string, context: GitContext): Promise<Repository> {
  const known = knownFacts(cwd, context);
  if (known !== undefined) return repositoryOf(context, known, dirname(known.commonDir));
  const [version, found] = await Promise.all([
    runGit(context, { cwd, args: ["version"] }),
    runGit(context, { cwd, args: ["rev-parse", "--path-format=absolute", "--git-common-dir", "--show-object-format"], answers: [0, 128] }),
  ]);
  requireVersion(version.text);
  const [commonDir, objectFormat] = found.text.split("\n");
  if (found.code !== 0 || commonDir === undefined) throw noRepository(cwd, found.stderr);
  const common = realpathSync(commonDir);
  const root = await mainWorktree(context, common);
  const facts: RepositoryFacts = { commonDir: common, objectFormat: objectFormat === "sha256" ? "sha256" : "sha1" };
  keepFacts(facts, context);
  return repositoryOf(context, facts, root);
}

function repositoryOf(context: GitContext, { commonDir, objectFormat }: RepositoryFacts, root: string): Repository {
  return { ...context, commonDir, root, objectFormat, layout: layoutOf(commonDir, context.parentEnv) };
}

function requireVersion(text: string): void {
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(text) ?? [];
  if (Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])) return;
  throw new GraftworkError("GIT_TOO_OLD", {
    message: `git is too old: ${text.trim()}.`,
    because: `graftwork merges in memory, which git can since ${OLDEST.join(".")}.`,
    try: "install a newer git and run the same command again.",
  });
}

async function mainWorktree(context: GitContext, commonDir: string): Promise<string> {
  // Not asked of git where it is plain: an agent that sets core.bare would else hide the user's checkout.
  if (basename(commonDir) === ".git") return dirname(commonDir);
  const list = await runGit(context, { cwd: commonDir, args: ["worktree", "list", "--porcelain", "-z"], gitDir: commonDir });
  const [first = ""] = list.text.split("\0\0");
  const path = /^worktree ([^\0]+)/.exec(first)?.[1];
  if (path !== undefined && !first.includes("\0bare") && existsSync(path) && realpathSync(path) !== commonDir) return realpathSync(path);
  throw new GraftworkError("REPOSITORY_UNSUPPORTED", {
    message: `${commonDir} is a bare repository.`,
    because: "graftwork shows its progress beside a checkout, and a bare repository has none.",
    try: "run it in an ordinary clone of this repository.",
    details: { commonDir },
  });
}

/** A repository whose configuration git cannot read is none to it either: then its own words say more. */
function whyNot(stderr: string): string {
  const said = stderr.trim().split("\n").at(-1) ?? "";
  return said === "" || said.includes("not a git repository") ? "no .git was found here or in any folder above." : `git says: ${said}`;
}

function noRepository(cwd: string, stderr: string): GraftworkError {
  if (stderr.includes("repository extension") || stderr.includes("repo version")) {
    return new GraftworkError("REPOSITORY_UNSUPPORTED", {
      message: `The repository at ${cwd} cannot be read by this git.`,
      because: stderr.trim().replace(/^fatal: /, ""),
      try: "install a git that knows this kind of repository.",
    });
  }
  const dubious = stderr.includes("dubious ownership");
  return new GraftworkError("NOT_A_REPOSITORY", {
    message: `${cwd} is not in a git repository.`,
    because: dubious ? "git does not trust the folder: it belongs to another user." : whyNot(stderr),
    try: dubious
      ? `\`git config --global --add safe.directory ${cwd}\`, if you trust it.`
      : "change to your project's folder, or make one with `git init` and a first commit.",
    details: { cwd },
  });
}
