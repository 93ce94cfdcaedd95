import { GraftworkError, systemCode } from "../domain/index.ts";
import {
  committedPaths,
  emptyTree,
  lstatBelow,
  type Oid,
  type SlotChanges,
  type SlotTree,
  scanSlot,
  slotFiles,
  slotHead,
} from "../git/index.ts";
import type { PoolContext } from "./context.ts";
import { copiedPaths } from "./copy-files.ts";
import { keptFolders } from "./kept-folders.ts";
import { rebuildableInSlot } from "./rebuildable.ts";

/** What in a slot is in no commit: the paths a release would rescue. `base` is the commit it was put on. */
export async function unsavedPaths(context: PoolContext, slot: SlotTree, base: Oid | null): Promise<string[]> {
  const [head, found] = await Promise.all([slotHead(context.repository, slot), changesIn(context, slot, base)]);
  const { changed, untracked } = await uncommitted(context, slot, found, head.commit, base);
  return [...changed, ...untracked];
}

export type Look = {
  /** Folders that stay in the slot; default: those that the configuration names and that may. */
  keep?: readonly string[];
  /** Also for repositories inside of tracked folders; default: yes. */
  nested?: boolean;
  /** In all of them, for a folder that is about to go; default: in those that were written to. */
  everywhere?: boolean;
};

/** What differs in a slot from the commit it was put on. Configured copies that nobody changed are not work. */
export async function changesIn(context: PoolContext, slot: SlotTree, base: Oid | null, look: Look = {}): Promise<SlotChanges> {
  const keep = look.keep ?? (await keptFolders(context, slot, base));
  const options = {
    keep,
    isRebuildable: rebuildableInSlot(slot),
    nestedIn: look.nested === false ? null : base,
    everywhere: look.everywhere === true,
  };
  const found = await scanSlot(context.repository, slot, options).catch((error: unknown) => {
    throw ["EACCES", "EPERM"].includes(systemCode(error) ?? "") ? rescueFailed(slot, `it cannot be read: ${messageOf(error)}.`) : error;
  });
  const copies = new Set(copiedPaths(context, slot, found.untracked));
  return { ...found, untracked: found.untracked.filter((path) => !copies.has(path)) };
}

/** What differs from `base` but is committed by now is no loss: without the paths that are as HEAD has them. */
export async function uncommitted(
  context: PoolContext,
  slot: SlotTree,
  found: SlotChanges,
  head: Oid | null,
  base: Oid | null,
): Promise<SlotChanges> {
  if (head === null || head === base) return found;
  const range = { from: base ?? emptyTree(context.repository), head };
  const files = slotFiles(context.repository, slot);
  const committed = await committedPaths(context.repository, files, range, [...found.changed, ...found.untracked]);
  const isOpen = (path: string): boolean => !committed.has(path);
  return { ...found, changed: found.changed.filter(isOpen), untracked: found.untracked.filter(isOpen) };
}

/** Regular files that can be read and links, folders, and paths that are gone (a deletion is work too). */
export function isPlain(slot: SlotTree, path: string): boolean {
  if (path.endsWith("/")) return false;
  try {
    const stat = lstatBelow(slot.path, path);
    // What its owner may not read can still be moved.
    return stat === undefined || (stat.isFile() && (stat.mode & 0o400) !== 0) || stat.isSymbolicLink() || stat.isDirectory();
  } catch (error) {
    throw rescueFailed(slot, `${path} cannot be read (${systemCode(error) ?? "unknown"}).`);
  }
}

/** A file that became a folder: what is in the folder is listed by itself. */
export function isFolder(slot: SlotTree, path: string): boolean {
  return !path.endsWith("/") && lstatBelow(slot.path, path)?.isDirectory() === true;
}

export function sizeOf(slot: SlotTree, path: string): number {
  return lstatBelow(slot.path, path)?.size ?? 0;
}

export function rescueFailed(slot: SlotTree, why: string): GraftworkError {
  return new GraftworkError("RESCUE_FAILED", {
    message: `The work in ${slot.id} could not be saved, so it was not cleared.`,
    because: why,
    try: `look into ${slot.path}, then \`pool-manager release ${slot.id}\` again.`,
    details: { slot: slot.id, path: slot.path },
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
