import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readText, renameSync, replaceByCopy, replaceFile, rmSync } from "../state/index.ts";
import { writeBlob } from "./commit-objects.ts";
import { type Oid, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit, splitNul } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";
import { withWorkIndex } from "./work-index.ts";

/** A slot as git sees it: its folder, and its administration folder in the common git directory. */
export type SlotTree = {
  id: string;
  path: string;
  /** Name of the folder below `worktrees/`: git picks another than `id` where that one is taken. */
  admin: string;
};

/** What differs in a slot from the commit it was last put on. */
export type SlotChanges = {
  /** Tracked paths whose content, kind or mode is another, or that are gone. */
  changed: readonly string[];
  /** Untracked paths, ignored ones included; a nested repository ends in `/`. */
  untracked: readonly string[];
};

/** For slots git's own shortcuts are off: forged stat data or a sparse state must not hide a change. */
const EXACT = [
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

/** Git commands of a slot: the git directory is named, never found through `slot/.git`, which an agent can write. */
function slotGit(repository: Repository, slot: SlotTree): Pick<GitCall, "cwd" | "gitDir" | "workTree" | "env"> {
  return { cwd: slot.path, gitDir: adminDirOf(repository, slot), workTree: slot.path, env: { GRAFTWORK_SLOT_PATH: slot.path } };
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

const gitFileText = (repository: Repository, slot: SlotTree): string => `gitdir: ${adminDirOf(repository, slot)}\n`;

/**
 * Makes the slot's files exactly those of `commit`, HEAD detached there, nothing else in the folder but `keep`
 * (anchored folders like `/node_modules/`). Everything that is not of that commit is destroyed: the caller has
 * saved it. Starts from our own copy of the index, since the slot's may be forged; without one, all is read again.
 */
export async function resetSlot(repository: Repository, slot: SlotTree, commit: Oid, keep: readonly string[]): Promise<void> {
  const admin = adminDirOf(repository, slot);
  for (const name of readdirSync(admin)) if (!ADMIN_ENTRIES.has(name)) rmSync(join(admin, name), { recursive: true, force: true });
  const work = slotGit(repository, slot);
  await withWorkIndex(repository, slot.id, async (indexFile) => {
    await runGit(repository, { ...work, indexFile, args: [...EXACT, "read-tree", "--reset", "-u", commit] });
    await runGit(repository, { ...work, indexFile, args: [...EXACT, "clean", "-ffdxq", ...keep.flatMap((path) => ["-e", path])] });
    replaceByCopy(indexFile, join(admin, "index"));
  });
  await runGit(repository, { ...work, args: ["update-ref", "--no-deref", "-m", "graftwork: reset", "HEAD", commit] });
  saveIndex(repository, slot);
}

/** Moves a clean slot to `commit` on `branch` (short name), which exists and points there. */
export async function attachSlot(repository: Repository, slot: SlotTree, branch: string, commit: Oid, from: Oid): Promise<void> {
  const work = slotGit(repository, slot);
  if (from !== commit) await runGit(repository, { ...work, args: [...EXACT, "read-tree", "--reset", "-u", commit] });
  await runGit(repository, { ...work, args: ["symbolic-ref", "-m", "graftwork: acquire", "HEAD", `refs/heads/${branch}`] });
  saveIndex(repository, slot);
}

/** Keeps a copy of the slot's index where agents have no business: what differs later is told by it. */
function saveIndex(repository: Repository, slot: SlotTree): void {
  replaceByCopy(join(adminDirOf(repository, slot), "index"), repository.layout.savedIndex(slot.id));
}

/**
 * Compares the slot's files with our saved index: staged, hidden (`assume-unchanged`), ignored and untracked work
 * all show. `rebuildable` are ignore patterns (`node_modules/`) for what nobody misses.
 */
export async function slotChanges(repository: Repository, slot: SlotTree, rebuildable: readonly string[]): Promise<SlotChanges> {
  return withWorkIndex(repository, slot.id, async (indexFile, own) => {
    const call = { ...own, cwd: slot.path, workTree: slot.path, indexFile };
    const [changed, untracked, tracked] = await Promise.all([
      runGit(repository, {
        ...call,
        // Never looked into by git itself: it would run what the configuration of a repository in there says.
        args: [...EXACT, "diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all", "--name-only", "-z"],
      }),
      runGit(repository, { ...call, args: ["ls-files", "--others", "-z", ...rebuildable.flatMap((pattern) => ["-x", pattern])] }),
      runGit(repository, { ...call, args: ["ls-files", "--stage", "-z"] }),
    ]);
    return {
      changed: [...new Set(splitNul(changed.text))],
      untracked: [...splitNul(untracked.text), ...hiddenRepositories(slot, splitNul(tracked.text))],
    };
  });
}

/** Repositories in places where `ls-files --others` does not look: in tracked folders, and where the tree has a submodule. */
function hiddenRepositories(slot: SlotTree, entries: readonly string[]): string[] {
  const folders = new Set<string>();
  const found: string[] = [];
  for (const entry of entries) {
    const path = entry.slice(entry.indexOf("\t") + 1);
    if (entry.startsWith("160000 ") && lstatBelow(slot.path, path)?.isDirectory() === true && readdirSync(join(slot.path, path)).length > 0)
      found.push(`${path}/`);
    for (let end = path.lastIndexOf("/"); end > 0 && !folders.has(path.slice(0, end)); end = path.lastIndexOf("/", end - 1))
      folders.add(path.slice(0, end));
  }
  for (const folder of folders) if (lstatBelow(slot.path, `${folder}/.git`) !== undefined) found.push(`${folder}/.git/`);
  return found;
}

/** HEAD of a slot: the branch it is on (short name, null where detached) and its commit; also where its folder is gone. */
export async function slotHead(repository: Repository, slot: SlotTree): Promise<{ branch: string | null; commit: Oid | null }> {
  const work = { ...slotGit(repository, slot), cwd: repository.commonDir };
  const [symbolic, commit] = await Promise.all([
    runGit(repository, { ...work, args: ["symbolic-ref", "--quiet", "HEAD"], answers: [0, 1, 128] }),
    runGit(repository, { ...work, args: ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], answers: [0, 1, 128] }),
  ]);
  const ref = symbolic.text.trim();
  return { branch: ref.startsWith("refs/heads/") ? ref.slice(11) : null, commit: commit.code === 0 ? commit.text.trim() : null };
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

/** Creates a branch at `commit` only where it is not there yet. Returns git's sentence where it is. */
export function createBranch(repository: Repository, branch: string, commit: Oid): Promise<string | undefined> {
  return updateRefs(repository, [{ ref: `refs/heads/${branch}`, set: commit, old: null }], `create ${branch}`);
}
