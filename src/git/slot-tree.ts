import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readBytes, readText, renameSync, replaceByCopy, replaceFile, rmSync, utimesSync } from "../state/index.ts";
import { writeBlob } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { plainCommit } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit, splitNul } from "./run-git.ts";
import { withWorkIndex } from "./work-index.ts";

/** A slot as git sees it: its folder, and its administration folder in the common git directory. */
export type SlotTree = {
  id: string;
  path: string;
  /** Name of the folder below `worktrees/`: git picks another than `id` where that one is taken. */
  admin: string;
};

/** For slots git's own shortcuts are off: forged stat data or a sparse state must not hide a change. */
export const EXACT = [
  "core.trustctime=true",
  "core.checkStat=default",
  "core.fileMode=true",
  "core.symlinks=true",
  "core.sparseCheckout=false",
  "index.sparse=false",
].flatMap((pin) => ["-c", pin]);

/** What belongs in a clean slot's administration folder; the rest (a stopped rebase, config.worktree, …) goes. */
const ADMIN_ENTRIES = new Set(["HEAD", "commondir", "gitdir", "locked", "logs", "index"]);

export function adminDirOf(repository: Repository, slot: SlotTree): string {
  return join(repository.commonDir, "worktrees", slot.admin);
}

/** Git's own files of a slot (HEAD, refs): named, never found through `slot/.git`, which an agent can write. */
function slotGit(repository: Repository, slot: SlotTree): Pick<GitCall, "cwd" | "gitDir" | "workTree" | "env"> {
  return { cwd: slot.path, gitDir: adminDirOf(repository, slot), workTree: slot.path, env: slotMark(slot.path) };
}

/**
 * The slot's files, written and compared with the settings that were pinned when no task was at work: a filter that
 * an agent configures in the repository is unknown here.
 */
export function slotFiles(repository: Repository, slot: SlotTree): Pick<GitCall, "cwd" | "gitDir" | "workTree" | "env"> {
  const own = ownGit(repository, "pinned");
  return { ...own, cwd: slot.path, workTree: slot.path, env: { ...own.env, ...slotMark(slot.path) } };
}

/** True where `slot/.git` is the file that git wrote there, and git still knows the slot. */
export function isConnected(repository: Repository, slot: SlotTree): boolean {
  return readText(join(slot.path, ".git")) === gitFileText(repository, slot) && isRegistered(repository, slot);
}

/** True where the slot's administration folder is there. */
export function isRegistered(repository: Repository, slot: SlotTree): boolean {
  return existsSync(join(adminDirOf(repository, slot), "HEAD"));
}

/** Writes `slot/.git` anew. Whatever is there under that name has been moved away by the caller. */
export function reconnect(repository: Repository, slot: SlotTree): void {
  replaceFile(join(slot.path, ".git"), gitFileText(repository, slot));
}

/** After a move of both: git and the slot's folder are told where the other is. What an agent put in the place of `.git` stays for a later look. */
export function reregister(repository: Repository, slot: SlotTree): void {
  replaceFile(join(adminDirOf(repository, slot), "gitdir"), `${join(slot.path, ".git")}\n`);
  if (readText(join(slot.path, ".git"))?.endsWith(`/worktrees/${slot.admin}\n`) === true) reconnect(repository, slot);
}

const gitFileText = (repository: Repository, slot: SlotTree): string => `gitdir: ${adminDirOf(repository, slot)}\n`;

/**
 * Makes the slot's tracked files exactly those of `commit`, HEAD detached there. What they hold besides is destroyed:
 * the caller has saved it, and has removed what is untracked. Starts from our own copy of the index, since the slot's
 * may be forged; without one, all is read again.
 */
export async function resetSlot(repository: Repository, slot: SlotTree, commit: Oid): Promise<void> {
  emptyAdmin(repository, slot);
  const files = slotFiles(repository, slot);
  await withWorkIndex(repository, slot.id, async (indexFile) => {
    await runGit(repository, { ...files, indexFile, args: [...EXACT, "read-tree", "--reset", "-u", commit] });
    replaceByCopy(indexFile, repository.layout.savedIndex(slot.id));
  });
  await detachSlot(repository, slot, commit);
}

/** Takes out of the slot's administration folder what a clean slot has not. */
function emptyAdmin(repository: Repository, slot: SlotTree): void {
  const admin = adminDirOf(repository, slot);
  for (const name of readdirSync(admin)) if (!ADMIN_ENTRIES.has(name)) rmSync(join(admin, name), { recursive: true, force: true });
}

/**
 * For a slot whose files are those of `commit` as our saved index has them: that index becomes the slot's, HEAD is
 * put on the commit itself, and nothing of a task's is left in the administration folder.
 */
export async function detachSlot(repository: Repository, slot: SlotTree, commit: Oid): Promise<void> {
  emptyAdmin(repository, slot);
  replaceByCopy(repository.layout.savedIndex(slot.id), join(adminDirOf(repository, slot), "index"));
  await runGit(repository, {
    ...slotGit(repository, slot),
    args: ["update-ref", "--no-deref", "-m", "graftwork: reset", "HEAD", commit],
  });
}

/**
 * After a look, begun at `lookedAt` (ms since 1970), that found the slot's files to be those of our saved index. Git goes
 * by whole seconds and reads at every look what was written in the second of its index: a large part of a slot that
 * was just made. What has been compared is trusted from the second before the look on: any later write shows.
 */
export function trustIndex(repository: Repository, slot: SlotTree, lookedAt: number): void {
  const saved = repository.layout.savedIndex(slot.id);
  const second = Math.floor(lookedAt / 1000) - 1;
  if (Math.floor(statSync(saved).mtimeMs / 1000) < second) utimesSync(saved, second, second);
}

/** Moves the files of a clean slot from one commit to another; refuses where a file that it would write is not as git knows it. */
export async function moveSlot(repository: Repository, slot: SlotTree, from: Oid, to: Oid): Promise<void> {
  await withWorkIndex(repository, slot.id, async (indexFile) => {
    await runGit(repository, { ...slotFiles(repository, slot), indexFile, args: [...EXACT, "read-tree", "-m", "-u", from, to] });
    replaceByCopy(indexFile, repository.layout.savedIndex(slot.id));
  });
  await detachSlot(repository, slot, to);
}

/**
 * Puts the files of a tree into a clean slot whose HEAD stays where it is: to git they are staged. A copied file in the
 * way of one of them goes.
 */
export async function stageTree(repository: Repository, slot: SlotTree, tree: Oid): Promise<void> {
  await withWorkIndex(repository, slot.id, async (indexFile) => {
    await runGit(repository, { ...slotFiles(repository, slot), indexFile, args: [...EXACT, "read-tree", "--reset", "-u", tree] });
    replaceByCopy(indexFile, join(adminDirOf(repository, slot), "index"));
  });
}

/** Puts HEAD of a slot on `branch` (short name); its files are those of the branch already. */
export async function attachSlot(repository: Repository, slot: SlotTree, branch: string): Promise<void> {
  await runGit(repository, {
    ...slotGit(repository, slot),
    args: ["symbolic-ref", "-m", "graftwork: acquire", "HEAD", `refs/heads/${branch}`],
  });
}

/**
 * True where git's own files of an idle slot are as a release left them: HEAD on the commit, our index, no stopped
 * merge, nothing else. Then all that is to be known of its files is what `scanSlot` says.
 */
export function isAsLeft(repository: Repository, slot: SlotTree, commit: Oid): boolean {
  const admin = adminDirOf(repository, slot);
  if (readText(join(admin, "HEAD")) !== `${commit}\n` || readdirSync(admin).some((name) => !ADMIN_ENTRIES.has(name))) return false;
  return hasSavedIndex(repository, slot);
}

/** True where the slot's index is, byte for byte, the copy that we keep. */
export function hasSavedIndex(repository: Repository, slot: SlotTree): boolean {
  const saved = readBytes(repository.layout.savedIndex(slot.id));
  return saved !== undefined && readBytes(join(adminDirOf(repository, slot), "index"))?.equals(saved) === true;
}

/** True where the slot's HEAD is on this branch: what was committed there is in a branch then. */
export function isOnBranch(repository: Repository, slot: SlotTree, branch: string): boolean {
  return readText(join(adminDirOf(repository, slot), "HEAD")) === `ref: refs/heads/${branch}\n`;
}

/** HEAD of a slot: the branch it is on (short name, null where detached) and its commit; also where its folder is gone. */
export async function slotHead(repository: Repository, slot: SlotTree): Promise<{ branch: string | null; commit: Oid | null }> {
  const admin = adminDirOf(repository, slot);
  const branch = /^ref: refs\/heads\/(.+)\n$/.exec(readText(join(admin, "HEAD")) ?? "")?.[1] ?? null;
  const plain = await plainCommit(repository, "HEAD", admin);
  if (plain !== undefined) return { branch, commit: plain };
  const answer = await runGit(repository, {
    ...slotGit(repository, slot),
    cwd: repository.commonDir,
    args: ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
    answers: [0, 1, 128],
  });
  return { branch, commit: answer.code === 0 ? answer.text.trim() : null };
}

/** True where the slot's own index holds something else than this commit, or cannot be read. */
export async function hasStagedWork(repository: Repository, slot: SlotTree, head: Oid): Promise<boolean> {
  const index = join(adminDirOf(repository, slot), "index");
  if (!existsSync(index)) return false;
  return withWorkIndex(repository, null, async (indexFile, own) => {
    replaceByCopy(index, indexFile);
    const args = ["diff-index", "--cached", "--quiet", "--ignore-submodules=all", head];
    return (await runGit(repository, { ...own, cwd: repository.commonDir, indexFile, args, answers: [0, 1, 128] })).code !== 0;
  });
}

/**
 * The tree of what is staged in the slot's own index; unmerged paths are in it below `.unmerged/<stage>/`. Undefined
 * where there is no index, null where git cannot read it. Asked of a copy: a killed git's lock is no matter.
 */
export async function stagedTree(repository: Repository, slot: SlotTree): Promise<Oid | null | undefined> {
  const index = join(adminDirOf(repository, slot), "index");
  if (!existsSync(index)) return undefined;
  return withWorkIndex(repository, null, async (indexFile) => {
    replaceByCopy(index, indexFile);
    const call = { ...slotGit(repository, slot), cwd: repository.commonDir, indexFile };
    const whole = await runGit(repository, { ...call, args: ["write-tree"], answers: [0, 128] });
    if (whole.code === 0) return whole.text.trim();
    const listing = await runGit(repository, { ...call, args: ["ls-files", "--stage", "-z"], answers: [0, 128] });
    if (listing.code !== 0) return null;
    const lines = splitNul(listing.text).map((line) =>
      line.replace(/^(\S+ \S+) ([123])\t/, (_, entry, stage) => `${entry}\t${UNMERGED}/${stage}/`),
    );
    // Paths that were only announced (`add -N`) name the empty blob, which need not exist.
    await writeBlob(repository, "");
    rmSync(indexFile);
    await runGit(repository, { ...call, args: ["update-index", "-z", "--index-info"], stdin: lines.map((line) => `${line}\0`).join("") });
    const rest = await runGit(repository, { ...call, args: ["write-tree"], answers: [0, 128] });
    return rest.code === 0 ? rest.text.trim() : null;
  });
}

const UNMERGED = ".unmerged";

/** Every commit that a file of the slot's administration folder names: none of them is safe from garbage collection. */
export function commitsNamedBy(repository: Repository, slot: SlotTree): Oid[] {
  const admin = adminDirOf(repository, slot);
  const found = new Set<Oid>();
  const look = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name !== "modules") look(join(path, entry.name));
      if (!entry.isFile() || entry.name === "index" || entry.name.startsWith("sharedindex")) continue;
      for (const oid of (readText(join(path, entry.name)) ?? "").match(/\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b/g) ?? []) found.add(oid);
    }
  };
  if (existsSync(admin)) look(admin);
  return [...found].filter((oid) => !/^0+$/.test(oid));
}

/** Cuts the slot's HEAD log, once a rescue has pinned what it named. */
export function forgetHeadLog(repository: Repository, slot: SlotTree): void {
  rmSync(join(adminDirOf(repository, slot), "logs"), { recursive: true, force: true });
}

/** Moves a part of the slot's administration folder away (submodule stores); false where there is none. */
export function moveAdminEntry(repository: Repository, slot: SlotTree, name: string, to: string): boolean {
  const path = join(adminDirOf(repository, slot), name);
  if (!existsSync(path)) return false;
  renameSync(path, to);
  return true;
}

/**
 * Creates `branch` (without an upstream: pinned) where a clean slot's HEAD is, only where it is not there yet, and puts HEAD on it. No file is
 * looked at: `switch -c` leaves index and files alone where the commit stays the same (`checkout -b` does not). Returns git's sentence where it is there.
 */
export async function branchOff(repository: Repository, slot: SlotTree, branch: string): Promise<string | undefined> {
  const answer = await runGit(repository, {
    ...slotGit(repository, slot),
    args: [...EXACT, "-c", "core.fsync=committed,reference", "switch", "--quiet", "-c", branch],
    answers: [0, 128],
  });
  return answer.code === 0 ? undefined : answer.stderr.trim();
}

/** In the environment of every program that works on a slot. */
export function slotMark(path: string): Record<string, string> {
  return { GRAFTWORK_SLOT_PATH: path };
}
