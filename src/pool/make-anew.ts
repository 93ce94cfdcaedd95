import { existsSync } from "node:fs";
import { join } from "node:path";
import { forgetWorktree, requireCommit, resolveCommit } from "../git/index.ts";
import { rmSync } from "../state/index.ts";
import { identityOf } from "../subprocess/index.ts";
import { commitIfMine, commitMine } from "./commit-mine.ts";
import { operationName, type PoolContext } from "./context.ts";
import { undoChangedSettings } from "./guard.ts";
import { rescuedText } from "./lease-text.ts";
import { makeSlot } from "./make-slot.ts";
import { type PoolStore, type SlotRecord, treeOfSlot } from "./pool-state.ts";
import { rescueAdmin } from "./rescue.ts";
import { moveWhole } from "./trash.ts";

/**
 * Makes a slot again that this process is at work on and whose folder is gone or is not the slot's. What is there
 * goes to the trash, commits that only git's own files of it name are saved, its branch is kept; its lease ends.
 */
export async function makeAnew(context: PoolContext, store: PoolStore, slot: SlotRecord): Promise<void> {
  if (slot.lease !== null) await undoChangedSettings(context, slot.lease.task);
  const rescue = slot.admin === null ? undefined : await rescueAdmin(context, treeOfSlot(slot), slot.lease?.task ?? slot.id, "made anew");
  if (rescue !== undefined) context.narrate(rescuedText(slot, rescue));
  if (existsSync(slot.path)) moveWhole(context, slot);
  await forgetWorktree(context.repository, slot.path);
  rmSync(join(context.repository.layout.savedIndex(slot.id), ".."), { recursive: true, force: true });
  // Where its own commit is gone as well, it begins at the newest.
  const own = slot.head === null ? undefined : await resolveCommit(context.repository, slot.head);
  const base = own ?? (await requireCommit(context.repository, "HEAD"));
  const blank = await commitMine(store, slot, {
    status: "preparing",
    admin: null,
    folder: null,
    head: null,
    lease: null,
    dependencies: null,
    lastError: null,
    worker: identityOf(process.pid),
    operation: operationName("make anew"),
  });
  await makeSlot(context, store, blank, base);
}

/** A slot whose folder somebody deleted; true where this process, which is at work on it, made it anew. */
export async function replaceLost(context: PoolContext, store: PoolStore, slot: SlotRecord): Promise<boolean> {
  if (existsSync(slot.path)) return false;
  try {
    await makeAnew(context, store, slot);
  } catch (error) {
    const lastError = `its folder is gone and could not be made anew: ${error instanceof Error ? error.message : String(error)}`;
    context.narrate(`${slot.id}: ${lastError}`);
    // Where it had got so far that the slot left the pool, there is nothing to mark.
    await commitIfMine(store, slot, { status: "quarantined", worker: null, lastError });
    return false;
  }
  context.narrate(`${slot.id}: its folder was gone; made anew`);
  return true;
}
