import { join } from "node:path";
import { rmSync } from "../state/index.ts";
import type { Person } from "./commit-objects.ts";
import { type Oid, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";
import { adminDirOf, type SlotTree } from "./slot-tree.ts";

/** What `git status` shows in a slot, ignored files apart. */
export type SlotStatus = {
  /** Tracked paths with changes, staged or not. */
  tracked: readonly string[];
  untracked: readonly string[];
  /** True while a merge, rebase or the like has unmerged paths. */
  unmerged: boolean;
};

export async function slotStatus(repository: Repository, slot: SlotTree): Promise<SlotStatus> {
  const answer = await runGit(repository, {
    cwd: slot.path,
    gitDir: adminDirOf(repository, slot),
    workTree: slot.path,
    args: ["status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all"],
  });
  const lines = splitNul(answer.text);
  const pathOf = (line: string, fields: number): string => line.split(" ").slice(fields).join(" ");
  return {
    tracked: lines.filter((line) => line.startsWith("1 ")).map((line) => pathOf(line, 8)),
    untracked: lines.filter((line) => line.startsWith("? ")).map((line) => line.slice(2)),
    unmerged: lines.some((line) => line.startsWith("u ")),
  };
}

/** Unsaved paths of the user's checkout: changed, staged or untracked; ignored ones apart. */
export async function checkoutChanges(repository: Repository): Promise<string[]> {
  const answer = await runGit(repository, {
    cwd: repository.root,
    args: ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all"],
  });
  return splitNul(answer.text).map((line) => line.slice(3));
}

/** Commits these paths of a slot on the branch it is on, with the project's own filters and no hook. */
export async function commitInSlot(
  repository: Repository,
  slot: SlotTree,
  commit: { paths: readonly string[]; message: string; person: Person },
): Promise<void> {
  const { name, email } = commit.person;
  const call = {
    cwd: slot.path,
    gitDir: adminDirOf(repository, slot),
    workTree: slot.path,
    env: { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email },
  };
  // What is gone is taken out by name: `add` refuses to look below a link that took a folder's place.
  const there = new Set(commit.paths.filter((path) => lstatBelow(slot.path, path) !== undefined));
  const list = (paths: readonly string[]): string => paths.map((path) => `${path}\0`).join("");
  const gone = list(commit.paths.filter((path) => !there.has(path)));
  if (gone !== "") await runGit(repository, { ...call, args: ["update-index", "--force-remove", "-z", "--stdin"], stdin: gone });
  if (there.size > 0) {
    await runGit(repository, {
      ...call,
      args: ["--literal-pathspecs", "add", "--all", "--force", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul"],
      stdin: list([...there]),
    });
  }
  // Exit 1: nothing is left to commit (a file was staged and deleted).
  await runGit(repository, {
    ...call,
    args: ["commit", "--quiet", "--no-verify", "--cleanup=strip", "-m", commit.message],
    answers: [0, 1],
  });
}

/** Locks that a killed git left in the slot: its processes have been ended, so they are nobody's. */
export function dropLocks(repository: Repository, slot: SlotTree): void {
  for (const name of ["index.lock", "HEAD.lock"]) rmSync(join(adminDirOf(repository, slot), name), { force: true });
}

/** Moves a branch from `from` to `to`, where `to` is what an agent committed elsewhere (a detached HEAD). */
export function adoptCommit(repository: Repository, branch: string, from: Oid, to: Oid): Promise<string | undefined> {
  return updateRefs(repository, [{ ref: `refs/heads/${branch}`, set: to, old: from }], "adopt a commit made beside the branch");
}
