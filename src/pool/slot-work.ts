import { join } from "node:path";
import picomatch from "picomatch";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { changedPaths, lstatBelow, type Oid, type SlotChanges, type SlotTree, slotChanges, slotHead, workTree } from "../git/index.ts";
import { readBytes } from "../state/index.ts";
import { type PoolContext, REBUILDABLE } from "./context.ts";

/** What in a slot is in no commit: the paths a release would rescue. */
export async function unsavedPaths(context: PoolContext, slot: SlotTree, known: readonly Oid[]): Promise<string[]> {
  const head = await slotHead(context.repository, slot);
  const { changed, untracked } = await uncommitted(context, slot, await changesIn(context, slot), head.commit, known);
  return [...changed, ...untracked];
}

/** What differs in a slot from the commit it was put on. Configured copies that nobody changed are not work. */
export async function changesIn(context: PoolContext, slot: SlotTree): Promise<SlotChanges> {
  const { changed, untracked } = await slotChanges(context.repository, slot, REBUILDABLE);
  const { copy } = context.settings;
  if (copy.length === 0 || untracked.length === 0) return { changed, untracked };
  const copied = picomatch([...copy], { dot: true });
  return { changed, untracked: untracked.filter((path) => !copied(path) || !isCopy(context, slot, path)) };
}

function isCopy(context: PoolContext, slot: SlotTree, path: string): boolean {
  const { root } = context.repository;
  const [here, there] = [lstatBelow(slot.path, path), lstatBelow(root, path)];
  if (here?.isFile() !== true || there?.isFile() !== true || here.size !== there.size) return false;
  return readBytes(join(slot.path, path))?.equals(readBytes(join(root, path)) ?? Buffer.alloc(0)) === true;
}

/**
 * The saved index tells what differs from the commit the slot was put on. What differs but is committed by now is
 * no loss: those paths are left out where they equal HEAD.
 */
export async function uncommitted(
  context: PoolContext,
  slot: SlotTree,
  found: SlotChanges,
  head: Oid | null,
  known: readonly Oid[],
): Promise<SlotChanges> {
  if (head === null || known.includes(head)) return found;
  const small = (path: string): boolean => isPlain(slot, path) && sizeOf(slot, path) <= context.settings.rescueMaxFileBytes;
  const files = [...found.changed, ...found.untracked].filter(small);
  const special = [...found.changed, ...found.untracked].filter((path) => !small(path));
  const tree = await workTree(context.repository, slot, files);
  const differing = new Set(await changedPaths(context.repository, head, tree));
  return { changed: files.filter((path) => differing.has(path)), untracked: special };
}

/** Regular files and links, folders, and paths that are gone (a deletion is work too). */
export function isPlain(slot: SlotTree, path: string): boolean {
  if (path.endsWith("/")) return false;
  try {
    const stat = lstatBelow(slot.path, path);
    return stat === undefined || stat.isFile() || stat.isSymbolicLink() || stat.isDirectory();
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

/** Tells whether a file was touched since: changes with every write, whatever its times are set to. */
export function stampOf(slot: SlotTree, path: string): string {
  const stat = lstatBelow(slot.path, path);
  return stat === undefined ? "gone" : `${stat.ino} ${stat.size} ${stat.ctimeMs}`;
}

export function rescueFailed(slot: SlotTree, why: string): GraftworkError {
  return new GraftworkError("RESCUE_FAILED", {
    message: `The work in ${slot.id} could not be saved, so it was not cleared.`,
    because: why,
    try: `look into ${slot.path}, then \`pool-manager release ${slot.id}\` again.`,
    details: { slot: slot.id, path: slot.path },
  });
}
