import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../state/index.ts";
import { madeCommit } from "./held-values.ts";
import { isOid, type Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { adminDirOf, type SlotTree } from "./slot-tree.ts";

/** What git leaves in an administration folder while it is in the middle of something. A rebase leaves the others too. */
const UNFINISHED = [
  ["rebase-merge", "rebase"],
  ["rebase-apply", "rebase"],
  ["MERGE_HEAD", "merge"],
  ["CHERRY_PICK_HEAD", "cherry-pick"],
  ["REVERT_HEAD", "revert"],
  ["sequencer", "cherry-pick"],
] as const;

/** Returns the merge, rebase or the like that is unfinished in a slot; null if there is none. */
export function unfinishedIn(repository: Repository, slot: SlotTree): string | null {
  return UNFINISHED.find(([entry]) => existsSync(join(adminDirOf(repository, slot), entry)))?.[1] ?? null;
}

/** Returns the last commit that the HEAD log of a slot names; undefined if it names none. */
export function lastInHeadLog(repository: Repository, slot: SlotTree): Oid | undefined {
  const entries = headLog(adminDirOf(repository, slot));
  return entries.flatMap(({ from, to }) => [from, to]).findLast((oid) => isOid(oid) && !/^0+$/.test(oid));
}

/** True if the HEAD log of a slot says that the commit was made there. */
export function wasMadeIn(repository: Repository, slot: SlotTree, commit: Oid): boolean {
  return headLog(adminDirOf(repository, slot)).some(({ to, message }) => to === commit && madeCommit(message));
}

/**
 * True if the HEAD log of the main worktree, or of a linked one, says that the worktree was put on `commit`. Worktrees
 * whose administration folder is in `except` do not count. A worktree on `branch` that keeps no log may have been.
 */
export function wasHeadOutside(repository: Repository, commit: Oid, branch: string, except: ReadonlySet<string>): boolean {
  const folder = join(repository.commonDir, "worktrees");
  const linked = existsSync(folder) ? readdirSync(folder).filter((name) => !except.has(name)) : [];
  const admins = [repository.commonDir, ...linked.map((name) => join(folder, name))];
  const mayHaveFollowed = (admin: string): boolean =>
    !existsSync(join(admin, "logs", "HEAD")) && readText(join(admin, "HEAD")) === `ref: refs/heads/${branch}\n`;
  return admins.some((admin) => mayHaveFollowed(admin) || headLog(admin).some(({ to }) => to === commit));
}

function headLog(admin: string): { from: string; to: string; message: string }[] {
  const lines = (readText(join(admin, "logs", "HEAD")) ?? "").split("\n");
  return lines.flatMap((line) => {
    const [from, to] = line.split(" ", 2);
    return from === undefined || to === undefined ? [] : [{ from, to, message: line.slice(line.indexOf("\t") + 1) }];
  });
}

/**
 * Returns the commits that `tips` reach and `known` does not, newest first. Ids that name no commit here are passed
 * over: refs may point to blobs, and a log may name what was deleted.
 */
export async function commitsBeyond(repository: Repository, tips: readonly Oid[], known: Iterable<Oid>): Promise<Oid[]> {
  if (tips.length === 0) return [];
  const stdin = [...new Set(tips), ...[...new Set(known)].map((oid) => `^${oid}`)].map((line) => `${line}\n`).join("");
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["rev-list", "--ignore-missing", "--stdin"], stdin });
  return answer.text.split("\n").filter((line) => line !== "");
}
