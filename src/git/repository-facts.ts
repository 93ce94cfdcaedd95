import { createHash } from "node:crypto";
import { existsSync, lstatSync, realpathSync, statSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { systemCode } from "../domain/index.ts";
import { readBytes, readText, replaceFile, rootIn } from "../state/index.ts";
import type { GitContext } from "./run-git.ts";

/** What git said about a repository, and what it followed from: said again without git while that is unchanged. */
export type RepositoryFacts = { commonDir: string; objectFormat: "sha1" | "sha256" };

/**
 * The facts of the repository around `cwd` as they were kept, where the program `git`, the repository's
 * configuration and who owns it are what they were then; undefined: ask git. It saves every verb two starts of git.
 */
export function knownFacts(cwd: string, context: GitContext): RepositoryFacts | undefined {
  try {
    const commonDir = findCommonDir(cwd);
    if (commonDir === undefined) return undefined;
    const [objectFormat, seal] = (readText(factsFile(commonDir)) ?? "").split("\n");
    if ((objectFormat !== "sha1" && objectFormat !== "sha256") || seal !== sealOf(commonDir, context)) return undefined;
    return { commonDir, objectFormat };
  } catch (error) {
    // Something is missing or may not be read: git says it in its own words.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Keeps what git said, where graftwork has a folder of its own in the repository already. */
export function keepFacts(facts: RepositoryFacts, context: GitContext): void {
  if (!existsSync(rootIn(facts.commonDir)) || findCommonDir(dirname(facts.commonDir)) !== facts.commonDir) return;
  const seal = sealOf(facts.commonDir, context);
  if (seal !== undefined) replaceFile(factsFile(facts.commonDir), `${facts.objectFormat}\n${seal}\n`);
}

const factsFile = (commonDir: string): string => join(rootIn(commonDir), "repository");

/** The plain cases of where git looks: a folder `.git`, or a worktree's file `.git`. Anything else is git's to find. */
function findCommonDir(cwd: string): string | undefined {
  for (let folder = realpathSync(cwd); ; folder = dirname(folder)) {
    const stat = lstatSync(join(folder, ".git"), { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return join(folder, ".git");
    if (stat?.isFile() === true) return commonDirOf(folder);
    if (stat !== undefined || existsSync(join(folder, "HEAD")) || dirname(folder) === folder) return undefined;
  }
}

function commonDirOf(worktree: string): string | undefined {
  const admin = /^gitdir: (.+)\n$/.exec(readText(join(worktree, ".git")) ?? "")?.[1];
  if (admin === undefined) return undefined;
  const gitDir = resolve(worktree, admin);
  const common = readText(join(gitDir, "commondir"))?.trimEnd();
  if (common === undefined || common === "") return undefined;
  const path = resolve(gitDir, common);
  return basename(path) === ".git" && existsSync(path) && realpathSync(path) === path ? path : undefined;
}

/** Everything the facts follow from, as one text; undefined where something of it cannot be looked at. */
function sealOf(commonDir: string, { parentEnv }: GitContext): string | undefined {
  const program = (parentEnv["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "git"))
    .find((path) => existsSync(path));
  if (program === undefined) return undefined;
  const { ino, size, mtimeMs, ctimeMs } = statSync(program);
  // Its HEAD stands for the folder: who owns it, and that it is a repository.
  const owner = statSync(join(commonDir, "HEAD")).uid;
  const settings = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "HOME"].map((name) => parentEnv[name] ?? null);
  const config = contentDigest(join(commonDir, "config"));
  return JSON.stringify([program, ino, size, mtimeMs, ctimeMs, owner, process.getuid?.() ?? 0, config, ...settings]);
}

/** Of a settings file: git writes it anew with every branch it deletes, so that its times say nothing. "" where it is none. */
export function contentDigest(path: string): string {
  const bytes = readBytes(path);
  return bytes === undefined ? "" : createHash("sha256").update(bytes).digest("hex");
}
