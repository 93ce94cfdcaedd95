import { existsSync, lstatSync } from "node:fs";
import { dirname } from "node:path";
import { GraftworkError, type LeasedSlot, systemCode } from "../domain/index.ts";
import {
  commitsNamedBy,
  dropLocks,
  forgetHeadLog,
  forgetWorktree,
  hasSavedIndex,
  isAsLeft,
  isConnected,
  isOnBranch,
  isRegistered,
  type Oid,
  readRef,
  reconnect,
  slotHead,
  updateRefs,
} from "../git/index.ts";
import { rmSync } from "../state/index.ts";
import { identityOf, livenessOf, sweepProcesses } from "../subprocess/index.ts";
import { commitMine } from "./commit-mine.ts";
import { folderIdentity, operationName, type PoolContext } from "./context.ts";
import { emptySlot } from "./empty-slot.ts";
import { undoChangedSettings } from "./guard.ts";
import { handOn } from "./kept-folders.ts";
import { makeSlot } from "./make-slot.ts";
import { followMove } from "./moved.ts";
import { type PoolState, type PoolStore, type SlotRecord, treeOfSlot, withoutSlot, withSlot } from "./pool-state.ts";
import { type Rescue, rescueAdmin, rescueSlot } from "./rescue.ts";
import { changesIn } from "./slot-work.ts";
import { moveToTrash } from "./trash.ts";
import { writePoolView } from "./view.ts";

/** Between TERM and KILL for what still runs in a slot that is being cleared. */
const GRACE_MS = 5_000;

/**
 * Finishes what a killed process began: half-made slots are made again, half-done acquires undone, half-done
 * releases done. Every verb starts with it; where nothing is half done it reads the state and nothing else.
 */
export async function recoverSlots(context: PoolContext, store: PoolStore): Promise<void> {
  await followMove(context, store);
  for (const slot of store.read().state.slots) {
    const halfDone = slot.status === "preparing" || slot.status === "releasing";
    if (!halfDone || slot.worker === null || livenessOf(slot.worker) !== "dead") continue;
    const taken = await takeOver(store, slot);
    if (taken === undefined) continue;
    context.narrate(`${slot.id}: finishing what a process that is gone began (${slot.status})`);
    try {
      if (taken.admin === null) await remake(context, store, taken);
      else if (taken.lease === null && !existsSync(taken.path)) await forgetSlot(context, store, taken, "its process died");
      else await clearSlot(context, store, taken, { reason: "its process died", undoAcquire: true });
    } catch (error) {
      // It is quarantined with the reason, or gone: one slot's trouble must not keep the verb from its own work.
      context.narrate(`${slot.id}: that failed: ${reasonOf(error)}`);
    }
    writePoolView(context.repository, store);
  }
}

/** A slot whose folder is gone leaves the pool: git forgets it, once what only git's own files of it name is saved. */
export async function forgetSlot(context: PoolContext, store: PoolStore, slot: SlotRecord, reason: string): Promise<void> {
  if (slot.lease !== null) await undoChangedSettings(context, slot.lease.task);
  if (slot.admin !== null) await rescueAdmin(context, treeOfSlot(slot), slot.lease?.task ?? slot.id, reason);
  await forgetWorktree(context.repository, slot.path);
  await dropSlot(context, store, slot);
}

export async function dropSlot(context: PoolContext, store: PoolStore, slot: SlotRecord): Promise<void> {
  rmSync(dirname(context.repository.layout.savedIndex(slot.id)), { recursive: true, force: true });
  await store.commit(operationName("remove"), (state) => withoutSlot(state, slot.id));
}

/** Makes this process the slot's worker, where it still is as it was seen and no other process is at work on it. */
export async function takeOver(store: PoolStore, seen: SlotRecord): Promise<SlotRecord | undefined> {
  const operation = operationName("take over");
  const { state } = await store.commit(operation, (before) => {
    const now = before.slots.find((slot) => slot.id === seen.id);
    // Its worker may have come to its end since: then the slot is what that made of it.
    if (now === undefined || now.operation !== seen.operation || now.status !== seen.status || isWorkedOn(now)) return undefined;
    return withSlot(before, seen.id, {
      status: now.status === "preparing" && now.admin === null ? "preparing" : "releasing",
      worker: identityOf(process.pid),
      operation,
    });
  });
  return state.slots.find((slot) => slot.id === seen.id && slot.operation === operation);
}

/** True while another process prepares or releases it. */
function isWorkedOn({ worker }: SlotRecord): boolean {
  return worker !== null && worker.pid !== process.pid && livenessOf(worker) === "alive";
}

async function remake(context: PoolContext, store: PoolStore, slot: SlotRecord): Promise<void> {
  await sweepProcesses({ markers: [`GRAFTWORK_SLOT_PATH=${slot.path}`], folders: existsSync(slot.path) ? [slot.path] : [] }, GRACE_MS);
  const head = await readRef(context.repository, "HEAD^{commit}");
  if (head === undefined) await store.commit(operationName("drop"), (state) => withoutSlot(state, slot.id));
  else await makeSlot(context, store, slot, head);
}

export type ClearResult = { rescue: Rescue | undefined; ended: number };

/**
 * Empties a slot that this process has marked `releasing`: ends what runs in it, saves what is in no branch, puts
 * it back to a clean state, gives the lease up. A branch of an acquire that never finished goes too, where it is
 * still at its base. Where saving or clearing fails the slot is `quarantined` with the reason, and the error thrown.
 * With `keep` it stays this process's own afterwards, without a lease: nobody may take what is about to be removed.
 */
export async function clearSlot(
  context: PoolContext,
  store: PoolStore,
  slot: SlotRecord,
  how: { reason: string; undoAcquire?: boolean; discard?: boolean; keep?: boolean },
): Promise<ClearResult> {
  const tree = treeOfSlot(slot);
  try {
    const ended = await sweepProcesses({ markers: markersOf(slot), folders: [slot.path] }, GRACE_MS);
    if (slot.lease !== null) await undoChangedSettings(context, slot.lease.task);
    dropLocks(context.repository, tree, slot.lease?.branch ?? null);
    requireFolder(slot);
    requireConnection(context, slot);
    const { rescue, to, dependencies } = await emptyOfWork(context, slot, how);
    // What it named is in a branch or in the rescue by now; the next lease has nothing to do with it.
    forgetHeadLog(context.repository, tree);
    if (how.undoAcquire === true) await dropUnborn(context, store, slot);
    const clean: Partial<SlotRecord> = { lease: null, head: to, dependencies, lastError: null, operation: operationName("cleared") };
    await commitMine(store, slot, how.keep === true ? clean : { ...clean, status: "idle", worker: null });
    return { rescue, ended: ended.length };
  } catch (error) {
    if (!(error instanceof GraftworkError) || error.code !== "FENCED")
      await commitMine(store, slot, { status: "quarantined", worker: null, lastError: reasonOf(error) });
    throw error;
  }
}

/** Saves what is in no branch, then puts the slot back to the commit that its lease began at. */
async function emptyOfWork(
  context: PoolContext,
  slot: SlotRecord,
  how: { reason: string; discard?: boolean; keep?: boolean },
): Promise<{ rescue: Rescue | undefined; to: Oid; dependencies: SlotRecord["dependencies"] }> {
  const { repository } = context;
  const tree = treeOfSlot(slot);
  const base = slot.head;
  const { keep, dependencies } = await handOn(context, slot, base);
  const found = await changesIn(context, tree, base, { keep, everywhere: how.keep === true });
  const to = slot.lease?.base ?? base;
  if (to !== null && found.changed.length + found.untracked.length === 0 && isUntouched(context, slot)) {
    await emptySlot(repository, tree, found, base, to);
    return { rescue: undefined, to, dependencies };
  }
  const task = slot.lease?.task ?? slot.id;
  const work = { task, reason: how.reason, base, found };
  const rescued =
    how.discard === true ? { rescue: undefined, head: await slotHead(repository, tree) } : await rescueSlot(context, tree, work);
  const goal = to ?? rescued.head.commit;
  if (goal === null) throw new Error("no commit to put the slot on");
  await emptySlot(repository, tree, found, base, goal);
  return { rescue: rescued.rescue, to: goal, dependencies };
}

/** True where nothing but the branch of the lease can name a commit or a change of the task's. */
function isUntouched({ repository }: PoolContext, slot: SlotRecord): boolean {
  const tree = treeOfSlot(slot);
  const { head, lease } = slot;
  if (head === null || !(lease === null ? isAsLeft(repository, tree, head) : isOnBranch(repository, tree, lease.branch))) return false;
  return hasSavedIndex(repository, tree) && commitsNamedBy(repository, tree).every((oid) => oid === head);
}

function reasonOf(error: unknown): string {
  return error instanceof GraftworkError ? `${error.message} ${error.because}` : String(error);
}

/**
 * An agent may have put its own repository or a link in the place of the slot's .git file. Throws where git itself
 * has forgotten the slot.
 */
export function requireConnection(context: PoolContext, slot: SlotRecord): void {
  const tree = treeOfSlot(slot);
  if (isConnected(context.repository, tree)) return;
  if (!isRegistered(context.repository, tree)) throw lostFolder(slot, "git does not know it any more");
  const path = `${slot.path}/.git`;
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    const kept = moveToTrash(context, tree, path, "dot-git");
    context.narrate(`${slot.id}: its .git was replaced; what was there is kept in ${kept}`);
  }
  reconnect(context.repository, tree);
}

export function markersOf(slot: SlotRecord): string[] {
  const markers = [`GRAFTWORK_SLOT_PATH=${slot.path}`];
  if (slot.lease !== null) markers.push(`GRAFTWORK_LEASE=${leaseMarker(slot.path, slot.lease.token)}`);
  return markers;
}

/** Ends every process that works for a lease, wherever it went. */
export async function sweepLease(leased: LeasedSlot): Promise<void> {
  await sweepProcesses({ markers: [`GRAFTWORK_LEASE=${leaseMarker(leased.path, leased.lease.token)}`], folders: [leased.path] }, GRACE_MS);
}

/**
 * Value of `GRAFTWORK_LEASE` in the environment of everything that works for a lease. With the slot's whole path:
 * every repository has a `wt-1`, and a sweep looks at all processes of the machine.
 */
export function leaseMarker(slotPath: string, token: number): string {
  return `${slotPath}#${token}`;
}

/** Throws where the slot's folder is a link or another folder than the one that was made. */
export function requireFolder(slot: SlotRecord): void {
  let found: string;
  try {
    found = folderIdentity(slot.path);
  } catch (error) {
    throw lostFolder(slot, `its folder cannot be read (${systemCode(error) ?? "unknown"})`);
  }
  if (slot.folder !== null && found !== slot.folder) throw lostFolder(slot, "another folder is in its place");
}

function lostFolder(slot: SlotRecord, why: string): GraftworkError {
  return new GraftworkError("SLOT_QUARANTINED", {
    message: `${slot.id} cannot be used.`,
    because: `${why}: ${slot.path}.`,
    try: "`pool-manager health --fix` makes the slot anew; the branch of its task is kept.",
    details: { slot: slot.id, path: slot.path },
  });
}

/** Deletes the branch of an acquire that was never handed out: recorded as ours, and still at its base. */
async function dropUnborn(context: PoolContext, store: PoolStore, slot: SlotRecord): Promise<void> {
  const { lease } = slot;
  const record = lease === null ? undefined : store.read().state.branches[lease.branch];
  if (lease === null || record === undefined || record.handedOut) return;
  const refused = await updateRefs(
    context.repository,
    [{ ref: `refs/heads/${lease.branch}`, remove: true, old: record.base }],
    `undo the acquire of ${lease.task}`,
  );
  if (refused === undefined) await store.commit(operationName("forget"), (state) => withoutBranch(state, lease.branch));
}

export function withoutBranch(state: PoolState, branch: string): PoolState {
  const { [branch]: _, ...branches } = state.branches;
  return { ...state, branches };
}
