import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { lstatBelow, moveAdminEntry, otherRepositoryAt, pathBytes, plainPath, type SlotTree } from "../git/index.ts";
import { mkdirSync, renameSync, replaceFile } from "../state/index.ts";
import type { PoolContext } from "./context.ts";
import { rescueFailed } from "./slot-work.ts";

/** Renames something into the pool's trash (same file system: no copy, no loss) and returns where it is now. */
export function moveToTrash(context: PoolContext, slot: SlotTree, from: string, label: string): string {
  const to = placeInTrash(context, slot, label);
  moveTo(context, slot, from, label, to);
  return to;
}

/** A slot's whole folder, or whatever is in its place. Throws where that is a worktree of another repository, whose task may be at work. */
export function moveWhole(context: PoolContext, slot: { id: string; path: string }): string {
  const other = otherRepositoryAt(context.repository, slot.path);
  if (other === undefined) return moveToTrash(context, { ...slot, admin: slot.id }, slot.path, "whole");
  throw new GraftworkError("CONFIG_INVALID", {
    message: `${slot.path} is a worktree of another repository, so no slot is made there.`,
    because: `it belongs to ${other}; two pools in one folder would take each other's slots.`,
    try: "set `pool.dir` in .claude/auto-context.yaml (or POOL_DIR) to a folder for this repository alone.",
    details: { path: slot.path, other },
  });
}

export function placeInTrash(context: PoolContext, slot: SlotTree, label: string): string {
  return join(trashPiece(context, slot), plainPath(label.replace(/\/$/, "")));
}

/** A folder of the trash that nothing else has. */
export function trashPiece(context: PoolContext, slot: SlotTree): string {
  const stamp = context.now().toISOString().replace(/[:.]/g, "-");
  return join(requireTrash(slot), `${stamp}-${slot.id}-${randomUUID().slice(0, 8)}`);
}

export function moveTo(context: PoolContext, slot: SlotTree, from: string, label: string, to: string): void {
  const about = `${JSON.stringify({ slot: slot.id, path: label, at: context.now().toISOString() })}\n`;
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    const trash = requireTrash(slot);
    const folder = to.slice(trash.length + 1).split("/")[0] ?? "";
    // A name of its own: the piece's may be as long as names can be.
    replaceFile(join(trash, folder, `about-${folder}.json`), about);
    renameSync(pathBytes(from.replace(/\/$/, "")), to);
  } catch (error) {
    throw rescueFailed(slot, `${label} could not be moved into the trash (${systemCode(error) ?? String(error)}).`);
  }
}

/**
 * Beside the slots, so that a rename suffices. Undefined where a link or a file is in its place: an agent may have put
 * it there, to have files moved (and deleted, when they are old) elsewhere.
 */
export function trashFolder(slot: { path: string }): string | undefined {
  const trash = join(dirname(slot.path), "trash");
  return lstatBelow(dirname(trash), "trash")?.isDirectory() === false ? undefined : trash;
}

export function requireTrash(slot: SlotTree): string {
  const trash = trashFolder(slot);
  if (trash !== undefined) return trash;
  throw rescueFailed(slot, `${join(dirname(slot.path), "trash")} is no folder; move away what is there.`);
}

export function moveAdmin(context: PoolContext, slot: SlotTree, name: string): string | undefined {
  const to = join(
    requireTrash(slot),
    `${context.now().toISOString().replace(/[:.]/g, "-")}-${slot.id}-${name}-${randomUUID().slice(0, 8)}`,
  );
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  return moveAdminEntry(context.repository, slot, name, to) ? to : undefined;
}
