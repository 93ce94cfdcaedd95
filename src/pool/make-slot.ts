import { lstatSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { GraftworkError, type SlotStatus, slotId } from "../domain/index.ts";
import { addWorktree, adminNameOf, forgetWorktree, listWorktrees, type Oid, removeWorktree, resetSlot } from "../git/index.ts";
import { privateFolder, rmSync } from "../state/index.ts";
import { identityOf } from "../subprocess/index.ts";
import { commitMine } from "./commit-mine.ts";
import { folderIdentity, operationName, type PoolContext } from "./context.ts";
import { requireDiskSpace, sizeOnDisk } from "./disk-space.ts";
import { hydrate, tidyAfterSetUp } from "./hydrate.ts";
import { type PoolStore, type SlotRecord, treeOfSlot, withoutSlot } from "./pool-state.ts";
import { rescueAdmin } from "./rescue.ts";
import { moveWhole } from "./trash.ts";

export function newSlot(n: number, dir: string, status: SlotStatus, operation: string): SlotRecord {
  const id = slotId(n);
  return {
    id,
    path: join(dir, id),
    admin: null,
    folder: null,
    status,
    head: null,
    lease: null,
    worker: identityOf(process.pid),
    dependencies: null,
    lastError: null,
    operation,
  };
}

/** Adds `count` slots to the pool, all at once in the state, then on disk side by side. Returns those that were made. */
export async function addSlots(context: PoolContext, store: PoolStore, target: number, base: Oid): Promise<SlotRecord[]> {
  const operation = operationName("grow");
  const { state: now } = store.read();
  privateFolder(now.dir);
  if (now.slots.length < target) requireDiskSpace(context, now, target - now.slots.length);
  const { state } = await store.commit(operation, (before) => {
    const used = new Set(before.slots.map((slot) => slot.id));
    const added: SlotRecord[] = [];
    for (let n = 1; before.slots.length + added.length < target; n++)
      if (!used.has(slotId(n))) added.push(newSlot(n, before.dir, "preparing", operation));
    const slots = [...before.slots, ...added].sort((a, b) => Number(a.id.slice(3)) - Number(b.id.slice(3)));
    return added.length === 0 ? undefined : { ...before, slots };
  });
  const mine = state.slots.filter((slot) => slot.operation === operation && slot.admin === null);
  const made = await Promise.allSettled(mine.map((slot) => makeSlot(context, store, slot, base)));
  const failure = made.find((one) => one.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return mine;
}

/** Makes one slot on disk from its record: registered, checked out, with its dependencies; then it is idle. */
export async function makeSlot(context: PoolContext, store: PoolStore, slot: SlotRecord, base: Oid): Promise<void> {
  const { repository } = context;
  try {
    requireDiskSpace(context, store.read().state, 1);
    await clearRemains(context, slot);
    const admin = await addWorktree(repository, slot.path, base, `slot of a graftwork pool; to remove it: pool-manager cleanup`);
    const made: SlotRecord = { ...slot, admin, folder: folderIdentity(slot.path) };
    await commitMine(store, slot, { admin: made.admin, folder: made.folder });
    await resetSlot(repository, treeOfSlot(made), base);
    const installed = await hydrate(context, made);
    if (await tidyAfterSetUp(context, made)) await resetSlot(repository, treeOfSlot(made), base);
    // Slots are alike: one that was measured tells enough of all.
    const isKnown = store.read().state.slots.some(({ sizeBytes }) => sizeBytes !== undefined);
    const size = isKnown ? {} : { sizeBytes: sizeOnDisk(slot.path) };
    await commitMine(store, slot, { status: "idle", head: base, worker: null, ...size, ...installed });
  } catch (error) {
    // What is there now is another process's.
    if (error instanceof GraftworkError && error.code === "FENCED") throw error;
    await clearRemains(context, slot).catch(() => undefined);
    await store.commit(operationName("unmade"), (state) => withoutSlot(state, slot.id));
    throw error;
  }
}

/** Takes away what a making that failed left at the place of a slot. */
export function removeRemains(context: PoolContext, path: string): Promise<void> {
  return clearRemains(context, { id: basename(path), path, admin: null });
}

/** What an earlier, interrupted making left under the slot's name. Files that are not ours go to the trash. */
async function clearRemains(context: PoolContext, slot: Pick<SlotRecord, "id" | "path" | "admin">): Promise<void> {
  const known = (await listWorktrees(context.repository)).find((worktree) => worktree.path === slot.path);
  const there = lstatSync(slot.path, { throwIfNoEntry: false });
  // Where the pool's state was lost, an earlier pool's slot may be there, with commits that nothing else names.
  const admin = adminNameOf(context.repository, slot.path);
  if (admin !== undefined)
    await rescueAdmin(context, { id: slot.id, path: slot.path, admin }, slot.id, "found where a slot was to be made");
  if (known !== undefined && there === undefined) return forgetWorktree(context.repository, slot.path);
  if (known !== undefined && slot.admin === null && onlyGitFile(slot.path)) return removeWorktree(context.repository, slot.path);
  if (there === undefined) return;
  if (there.isDirectory() && readdirSync(slot.path).length === 0) return rmSync(slot.path, { recursive: true });
  context.narrate(`${slot.id}: what was in its place is kept in ${moveWhole(context, slot)}`);
  if (known !== undefined) await forgetWorktree(context.repository, slot.path);
}

function onlyGitFile(path: string): boolean {
  return readdirSync(path).every((name) => name === ".git");
}
