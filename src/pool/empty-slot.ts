import { randomUUID } from "node:crypto";
import { lstatSync } from "node:fs";
import { dirname, join } from "node:path";
import { openUp } from "../checkout/index.ts";
import { systemCode } from "../domain/index.ts";
import {
  below,
  detachSlot,
  hasSavedIndex,
  lstatBelow,
  type Oid,
  pathBytes,
  type Repository,
  readFolder,
  resetSlot,
  type SlotChanges,
  type SlotTree,
  stampBelow,
} from "../git/index.ts";
import { chmodSync, mkdirSync, renameSync, rmdirSync, rmSync } from "../state/index.ts";
import { childEnvironment, startDetached } from "../subprocess/index.ts";
import { rescueFailed } from "./slot-work.ts";
import { trashFolder } from "./trash.ts";

/** A folder with more in it than this is deleted by a process of its own: nobody waits for 20,000 files. */
const DELETED_AT_ONCE = 500;

/** True where there is nothing in the slot that is not of its commit. */
export function isClean({ changed, toRemove, emptied }: SlotChanges): boolean {
  return changed.length + toRemove.length + emptied.length === 0;
}

/**
 * Puts a slot back to `commit`, of which `found` says what differs. Everything in `found` is destroyed: the caller has
 * saved it. Nothing else is touched, so what appears meanwhile stays and is found by the next look. Throws
 * RESCUE_FAILED where that is not possible: a tracked file was written to since, or something cannot be removed.
 */
export async function emptySlot(repository: Repository, slot: SlotTree, found: SlotChanges, from: Oid | null, commit: Oid): Promise<void> {
  removeUntracked(repository, slot, found);
  const late = found.changed.find((path) => lstatBelow(slot.path, path) !== undefined && !isAsSeen(slot, found, path));
  if (late !== undefined) throw rescueFailed(slot, `something still writes there: ${late}.`);
  // Our saved index still tells the truth where no tracked file was touched.
  if (from === commit && found.changed.length === 0 && hasSavedIndex(repository, slot)) await detachSlot(repository, slot, commit);
  else await resetSlot(repository, slot, commit);
}

function isAsSeen(slot: SlotTree, { seen }: SlotChanges, path: string): boolean {
  return stampBelow(slot.path, path, "mtimeMs") === seen.get(path);
}

function removeUntracked(repository: Repository, slot: SlotTree, found: SlotChanges): void {
  const trash = trashFolder(slot);
  const large = trash === undefined ? [] : found.toRemove.filter((path) => isLarge(slot, path));
  try {
    if (trash !== undefined && large.length > 0) deleteInBackground(repository, slot, trash, large, found);
  } catch {
    // A full disk, or a trash on another one: then it takes its time.
  }
  for (const path of found.toRemove) {
    const isWhole = path.endsWith("/") || !found.seen.has(path);
    if (lstatBelow(slot.path, path) === undefined || !(isWhole || isAsSeen(slot, found, path))) continue;
    opened(slot, found, path, () => rmSync(pathBytes(below(slot.path, path, "disk")), { recursive: isWhole, force: true }));
  }
  for (const path of found.emptied)
    if (lstatBelow(slot.path, path)?.isDirectory() === true) opened(slot, found, path, () => removeEmpty(slot, path));
}

/** A folder into which something was put since is left, with that in it. */
function removeEmpty(slot: SlotTree, path: string): void {
  try {
    rmdirSync(pathBytes(below(slot.path, path, "disk")));
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(systemCode(error) ?? "")) throw error;
  }
}

function isLarge(slot: SlotTree, path: string): boolean {
  if (!path.endsWith("/") || lstatBelow(slot.path, path)?.isDirectory() !== true) return false;
  let left = DELETED_AT_ONCE;
  const count = (folder: string): void => {
    for (const entry of readFolder(folder)) {
      if (--left <= 0) return;
      if (entry.isDirectory()) count(join(folder, entry.name));
    }
  };
  count(below(slot.path, path, "disk"));
  return left <= 0;
}

/** Renamed out of the slot at once, deleted at leisure; should that be cut off, the trash's own clean-up does it. */
function deleteInBackground(repository: Repository, slot: SlotTree, trash: string, paths: readonly string[], found: SlotChanges): void {
  const gone = join(trash, `deleting-${randomUUID()}`);
  mkdirSync(gone, { recursive: true, mode: 0o700 });
  for (const [index, path] of paths.entries())
    opened(slot, found, path, () => renameSync(pathBytes(below(slot.path, path, "disk").replace(/\/$/, "")), join(gone, String(index))));
  const remove = 'rm -rf -- "$0" || { chmod -R u+rwX -- "$0"; rm -rf -- "$0"; }';
  startDetached(["nice", "-n", "19", "/bin/sh", "-c", remove, gone], trash, childEnvironment(repository.parentEnv, [], {}));
}

/** Folders that were made read-only (module caches are) are opened where they are in the way. */
function opened(slot: SlotTree, { emptied }: SlotChanges, path: string, remove: () => void): void {
  const isRefused = (error: unknown): boolean => ["EACCES", "EPERM"].includes(systemCode(error) ?? "");
  try {
    return remove();
  } catch (error) {
    if (!isRefused(error)) throw error;
  }
  try {
    const isFolder = (folder: string): boolean => lstatBelow(slot.path, folder)?.isDirectory() === true;
    const around = emptied.findLast((folder) => path.startsWith(folder));
    for (const folder of [path, around ?? path].filter(isFolder)) openUp(join(slot.path, folder));
    const parent = join(slot.path, dirname(path));
    chmodSync(pathBytes(parent), lstatSync(pathBytes(parent)).mode | 0o700);
    remove();
  } catch (error) {
    throw isRefused(error) ? rescueFailed(slot, `${path} cannot be removed (${systemCode(error)}).`) : error;
  }
}
