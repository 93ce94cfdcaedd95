import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { reregister } from "../git/index.ts";
import { folderIdentity, operationName, type PoolContext, poolFolder } from "./context.ts";
import { type PoolState, type PoolStore, type SlotRecord, treeOfSlot } from "./pool-state.ts";
import { relinkPool } from "./view.ts";

/**
 * A repository that was moved together with its pool: the slots are known again by their folders' device and inode.
 * Else they would be taken for lost and made anew, and the work in them would be nobody's. The state comes last, so
 * that whoever is killed on the way is followed by the next verb.
 */
export async function followMove(context: PoolContext, store: PoolStore): Promise<void> {
  const { repository, settings, narrate } = context;
  const { state } = store.read();
  const wanted = poolFolder(repository, settings);
  if (existsSync(state.dir) || !existsSync(wanted)) return;
  const dir = realpathSync(wanted);
  const found = state.slots.filter((slot) => isThere(slot, dir));
  if (found.length === 0) return;
  for (const slot of found) reregister(repository, { ...treeOfSlot(slot), path: join(dir, slot.id) });
  await store.commit(operationName("moved"), (before) => (before.dir === state.dir ? movedTo(before, dir) : undefined));
  relinkPool(repository, dir);
  narrate(`the pool was moved with its repository: its slots are in ${dir}`);
}

function isThere(slot: SlotRecord, dir: string): boolean {
  const path = join(dir, slot.id);
  return slot.admin !== null && slot.folder !== null && existsSync(path) && folderIdentity(path) === slot.folder;
}

function movedTo(state: PoolState, dir: string): PoolState {
  return { ...state, dir, slots: state.slots.map((slot) => ({ ...slot, path: join(dir, slot.id) })) };
}
