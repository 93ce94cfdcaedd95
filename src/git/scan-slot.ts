import { existsSync, lstatSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { readText, replaceFile } from "../state/index.ts";
import { writtenByCheckout } from "./conversions.ts";
import { below } from "./git-path.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit, splitPaths } from "./run-git.ts";
import { lstatBelow, passedOver, readFolder, stampBelow } from "./slot-path.ts";
import { EXACT, type SlotTree } from "./slot-tree.ts";

/** What differs in a slot from the commit it was last put on. */
export type SlotChanges = {
  /** Tracked paths whose content, kind or mode is another, or that are gone. */
  changed: readonly string[];
  /** Untracked files, ignored ones included; a nested repository ends in `/`. */
  untracked: readonly string[];
  /** What has to go before the slot is clean: untracked files, and (ending in `/`) nested repositories and folders that any build makes again. */
  toRemove: readonly string[];
  /** What the stamps of `changed` and of untracked files were at the look: what is another by now was seen by nobody. */
  seen: ReadonlyMap<string, string>;
  /** Untracked folders that are empty once all that is gone; those in a folder come before it. */
  emptied: readonly string[];
};

export type ScanOptions = {
  /** Anchored folders that stay from one task to the next (`/node_modules/`): nothing in them is looked at. */
  keep: readonly string[];
  /** True for untracked files and folders (ending in `/`) that any build makes again: not work, but to be removed. */
  isRebuildable: (path: string) => boolean;
  /** The commit whose folders may hold a nested repository or a pipe; null: not looked for. */
  nestedIn: Oid | null;
  /** Also in folders that nobody has written to since the slot was last proved clean. */
  everywhere: boolean;
};

const LISTING = ["ls-files", "-z", "-t", "--modified", "--deleted", "--others", "--directory"] as const;

/**
 * Compares the slot's files with our saved index in one walk: staged, hidden (`assume-unchanged`), ignored and
 * untracked work all show. Bytes count: what git would take for unchanged because a filter makes it so is a change, what
 * the user's own filters wrote at checkout is none.
 */
export async function scanSlot(repository: Repository, slot: SlotTree, options: ScanOptions): Promise<SlotChanges> {
  const work = { ...ownGit(repository, "raw"), cwd: slot.path, workTree: slot.path, indexFile: repository.layout.savedIndex(slot.id) };
  const [listing, nested] = await Promise.all([
    runGit(repository, {
      ...work,
      args: [...EXACT, ...LISTING, ...options.keep.flatMap((path) => ["-x", path])],
    }),
    passedOverBelow(repository, slot, options),
  ]);
  const lines = splitPaths(listing);
  const listed = lines.filter((line) => line.startsWith("? ")).map((line) => line.slice(2));
  const differing = listed.some((path) => lstatBelow(slot.path, path)?.isSymbolicLink() === true)
    ? await changedBesideLinks(repository, work)
    : lines.filter((line) => !line.startsWith("? ")).map((line) => line.slice(2));
  const written = await writtenByCheckout(repository, slot, differing);
  const changed = differing.filter((path) => !written.has(path));
  // A folder in a tracked file's place is in no list of others.
  const folders = changed.filter((path) => lstatBelow(slot.path, path)?.isDirectory() === true).map((path) => `${path}/`);
  const others = [...new Set([...listed, ...folders, ...nested])];
  const pieces = others.flatMap((path): Piece[] =>
    nested.includes(path) ? [{ is: "work", path }] : piecesOf(slot, path, options.isRebuildable),
  );
  const those = (wanted: (piece: Piece) => boolean): string[] => pieces.filter(wanted).map(({ path }) => path);
  const untracked = those(({ is }) => is === "work");
  return {
    changed: [...new Set(changed)],
    untracked,
    seen: new Map([...changed, ...untracked].map((path) => [path, stampBelow(slot.path, path, "mtimeMs")])),
    toRemove: those(({ is }) => is !== "folder"),
    emptied: those(({ is }) => is === "folder"),
  };
}

/**
 * Tells the paths that nobody has worked on: the file is byte for byte as our checkout wrote it, and `commit` has the
 * entry that was checked out. Git may call such a file modified all the same, because an attribute would convert it.
 */
export async function untouchedSince(repository: Repository, slot: SlotTree, commit: Oid): Promise<(path: string) => boolean> {
  const indexFile = repository.layout.savedIndex(slot.id);
  if (!existsSync(indexFile)) return () => false;
  const work = { ...ownGit(repository, "raw"), cwd: slot.path, workTree: slot.path, indexFile };
  const [listing, entries] = await Promise.all([
    runGit(repository, { ...work, args: [...EXACT, "ls-files", "-z", "--modified", "--deleted"] }),
    runGit(repository, { ...work, args: ["diff-index", "--cached", "--name-only", "-z", "--no-renames", commit] }),
  ]);
  const differing = splitPaths(listing);
  const written = await writtenByCheckout(repository, slot, differing);
  const touched = new Set([...differing.filter((path) => !written.has(path)), ...splitPaths(entries)]);
  return (path) => !touched.has(path);
}

/** `ls-files` looks through a link that took a tracked folder's place; `diff` does not. */
async function changedBesideLinks(repository: Repository, work: Omit<GitCall, "args">): Promise<string[]> {
  const args = ["diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all", "--name-only", "-z"];
  return splitPaths(await runGit(repository, { ...work, args: [...EXACT, ...args] }));
}

type Piece = { is: "work" | "rebuildable" | "folder"; path: string };

/** An untracked file or folder, piece by piece; a repository in it is one. Links are files: never followed. */
function piecesOf(slot: SlotTree, path: string, isRebuildable: (path: string) => boolean): Piece[] {
  if (isRebuildable(path)) return [{ is: "rebuildable", path }];
  if (!path.endsWith("/")) return [{ is: "work", path }];
  const entries = readFolder(below(slot.path, path, "disk"));
  if (entries.some((entry) => entry.name === ".git")) return [{ is: "work", path }];
  const inside = entries.flatMap((entry) => piecesOf(slot, `${path}${entry.name}${entry.isDirectory() ? "/" : ""}`, isRebuildable));
  return [...inside, { is: "folder", path }];
}

/**
 * What `ls-files --others` does not show: repositories and pipes in tracked folders, and where the tree has a submodule.
 * Whatever is put into a folder changes the folder's ctime, which nobody can set back. Our index is made anew whenever
 * the slot was proved clean; its own ctime changes with `trustIndex`. Where files have no birth time it is 0.
 */
async function passedOverBelow(repository: Repository, slot: SlotTree, options: ScanOptions): Promise<string[]> {
  if (options.nestedIn === null) return [];
  const saved = statSync(repository.layout.savedIndex(slot.id), { throwIfNoEntry: false });
  const since = options.everywhere || saved === undefined ? 0 : saved.birthtimeMs;
  const isWritten = (path: string): boolean => {
    const stat = lstatSync(pathBytes(path), { throwIfNoEntry: false });
    return stat !== undefined && stat.ctimeMs >= since;
  };
  const inRoot = isWritten(slot.path) ? passedOver(slot.path).filter((name) => name !== ".git") : [];
  const inside: string[] = [];
  for (const folder of await foldersOf(repository, slot, options.nestedIn)) {
    const isSubmodule = folder.startsWith(SUBMODULE);
    const path = isSubmodule ? folder.slice(SUBMODULE.length) : folder;
    // Where a link took the place of a folder above, what is looked at here is elsewhere; the next look tells.
    if (!isWritten(below(slot.path, path, "disk")) || lstatBelow(slot.path, path)?.isDirectory() !== true) continue;
    if (isSubmodule && readFolder(below(slot.path, path, "disk")).length > 0) inside.push(`${path}/`);
    if (!isSubmodule)
      inside.push(...passedOver(below(slot.path, path, "disk")).map((name) => `${path}/${name}${name === ".git" ? "/" : ""}`));
  }
  return [...inRoot, ...inside];
}

/** Before the path of a submodule in our list of folders. */
const SUBMODULE = "submodule\n";

/** The folders of a commit, submodules marked as such; kept per slot, since most leases begin where the last one did. */
async function foldersOf(repository: Repository, slot: SlotTree, commit: Oid): Promise<string[]> {
  const file = join(dirname(repository.layout.savedIndex(slot.id)), "folders");
  const [known, ...folders] = noted(file);
  if (known === commit) return folders;
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["ls-tree", "-r", "-d", "-z", commit] });
  const found = splitPaths(answer).map((line) => `${line.startsWith("160000 ") ? SUBMODULE : ""}${line.slice(line.indexOf("\t") + 1)}`);
  replaceFile(file, JSON.stringify([commit, ...found]));
  return found;
}

function noted(file: string): string[] {
  try {
    return JSON.parse(readText(file) ?? "[]") as string[];
  } catch {
    return [];
  }
}
