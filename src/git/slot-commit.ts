import type { Person } from "./commit-objects.ts";
import { type Oid, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";
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
  const stdin = commit.paths.map((path) => `${path}\0`).join("");
  await runGit(repository, {
    ...call,
    args: ["--literal-pathspecs", "add", "--all", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"],
    stdin,
  });
  await runGit(repository, {
    ...call,
    args: [
      "--literal-pathspecs",
      "commit",
      "--quiet",
      "--no-verify",
      "--cleanup=strip",
      "--only",
      "-m",
      commit.message,
      "--pathspec-from-file=-",
      "--pathspec-file-nul",
    ],
    stdin,
  });
}

/** Moves a branch from `from` to `to`, where `to` is what an agent committed elsewhere (a detached HEAD). */
export function adoptCommit(repository: Repository, branch: string, from: Oid, to: Oid): Promise<string | undefined> {
  return updateRefs(repository, [{ ref: `refs/heads/${branch}`, set: to, old: from }], "adopt a commit made beside the branch");
}
