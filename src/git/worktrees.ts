import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readText, rmSync, withMutex } from "../state/index.ts";
import type { Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { slotMark } from "./slot-tree.ts";

export type Worktree = {
  path: string;
  head: Oid | null;
  /** Full ref name; null where detached. */
  branch: string | null;
  bare: boolean;
  /** The lock's reason; null where it is not locked. */
  locked: string | null;
  prunable: boolean;
};

/** Every worktree that git knows, the main one first. */
export async function listWorktrees(repository: Repository): Promise<Worktree[]> {
  const answer = await runGit(repository, {
    cwd: repository.commonDir,
    gitDir: repository.commonDir,
    args: ["worktree", "list", "--porcelain", "-z"],
  });
  return parseWorktrees(answer.text);
}

export function parseWorktrees(text: string): Worktree[] {
  const all: Worktree[] = [];
  for (const record of text.split("\0\0")) {
    const one: Worktree = { path: "", head: null, branch: null, bare: false, locked: null, prunable: false };
    for (const line of record.split("\0")) {
      const space = line.indexOf(" ");
      const key = space < 0 ? line : line.slice(0, space);
      const value = space < 0 ? "" : line.slice(space + 1);
      if (key === "worktree") one.path = value;
      else if (key === "HEAD") one.head = value;
      else if (key === "branch") one.branch = value;
      else if (key === "bare") one.bare = true;
      else if (key === "locked") one.locked = value;
      else if (key === "prunable") one.prunable = true;
    }
    if (one.path !== "") all.push(one);
  }
  return all;
}

/**
 * git's own worktree administration races with itself (one add reads another's half-made folder), so these verbs
 * run one at a time across all processes. The checkout is not part of it: `add` makes no files.
 */
function administer<Result>(repository: Repository, work: () => Promise<Result>): Promise<Result> {
  return withMutex(repository.layout.adminMutex, work);
}

/**
 * Registers a locked worktree at `path`, detached at `commit`, without any file of the project in it yet. Returns
 * the name that git gave its administration folder.
 */
export async function addWorktree(repository: Repository, path: string, commit: Oid, lockReason: string): Promise<string> {
  await administer(repository, async () => {
    const before = new Set(adminNames(repository));
    try {
      await runGit(repository, {
        cwd: repository.commonDir,
        gitDir: repository.commonDir,
        env: slotMark(path),
        args: ["worktree", "add", "--quiet", "--detach", "--no-checkout", "--lock", "--reason", lockReason, "--", path, commit],
      });
    } catch (error) {
      // A git that was killed may not have come to name the folder's place: then no git verb would ever take it away.
      for (const name of adminNames(repository)) if (!before.has(name) && isNameless(repository, name)) removeAdmin(repository, name);
      throw error;
    }
  });
  return basename((readText(join(path, ".git")) ?? "").trim());
}

const adminFolder = (repository: Repository): string => join(repository.commonDir, "worktrees");

function adminNames(repository: Repository): string[] {
  const folder = adminFolder(repository);
  return existsSync(folder) ? readdirSync(folder) : [];
}

function isNameless(repository: Repository, name: string): boolean {
  return (readText(join(adminFolder(repository), name, "gitdir")) ?? "") === "";
}

function removeAdmin(repository: Repository, name: string): void {
  rmSync(join(adminFolder(repository), name), { recursive: true, force: true });
}

/** Name of the administration folder of the worktree at `path`, also where that is gone; undefined where git knows none. */
export function adminNameOf(repository: Repository, path: string): string | undefined {
  return adminNames(repository).find((name) => readText(join(adminFolder(repository), name, "gitdir"))?.trim() === join(path, ".git"));
}

/** The git directory of another repository whose worktree is at `path`; undefined where none is. */
export function otherRepositoryAt(repository: Repository, path: string): string | undefined {
  const admin = /^gitdir: (.+)\n?$/.exec(readText(join(path, ".git")) ?? "")?.[1];
  if (admin === undefined || admin.startsWith(`${repository.commonDir}/`)) return undefined;
  // Only what that repository says too: a file alone may be an agent's.
  return readText(join(admin, "gitdir"))?.trim() === join(path, ".git") ? dirname(dirname(admin)) : undefined;
}

/** Forgets a worktree and deletes its folder, where it is still there. The caller has saved what was in it. */
export function removeWorktree(repository: Repository, path: string): Promise<void> {
  return removeEntry(repository, path, [0]);
}

/** Forgets a worktree whose folder is gone; nothing where git does not know it. Never `prune`, which takes others' too. */
export function forgetWorktree(repository: Repository, path: string): Promise<void> {
  return removeEntry(repository, path, [0, 128]);
}

function removeEntry(repository: Repository, path: string, answers: readonly number[]): Promise<void> {
  const call = { cwd: repository.commonDir, gitDir: repository.commonDir, env: slotMark(path) };
  return administer(repository, async () => {
    await runGit(repository, { ...call, args: ["worktree", "unlock", "--", path], answers: [0, 128] });
    await runGit(repository, { ...call, args: ["worktree", "remove", "--force", "--force", "--", path], answers });
  });
}
