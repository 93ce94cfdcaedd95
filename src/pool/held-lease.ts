import { existsSync } from "node:fs";
import { idKey, type Lease, type LeasedSlot } from "../domain/index.ts";
import { livenessOf } from "../subprocess/index.ts";
import { operationName, type PoolContext } from "./context.ts";
import { leaseHeld } from "./lease-text.ts";
import { renewed, standingOf } from "./lease-time.ts";
import { replaceLost } from "./make-anew.ts";
import { type PoolStore, type SlotRecord, withSlot } from "./pool-state.ts";
import { requireConnection, requireFolder, takeOver } from "./recover.ts";
import { takeBack } from "./take-back.ts";
import { writePoolView } from "./view.ts";

/**
 * Returns the task's lease if it is the caller's own, or that of a dead process of the same run. Returns undefined if
 * there is none. A lease of another run that is over is taken back first: its work is saved and its branch kept. If
 * the slot's folder was deleted, the slot is made again, and the task goes on at the tip of its branch. Throws
 * LEASE_HELD if another live owner holds it.
 */
export async function heldLease(context: PoolContext, store: PoolStore, task: string): Promise<LeasedSlot | undefined> {
  const slot = store.read().state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(task));
  if (slot?.lease === undefined || slot.lease === null) return undefined;
  const { lease } = slot;
  const mine = lease.run === context.run && lease.owner.kind === context.owner.kind && lease.owner.name === context.owner.name;
  if (lease.run !== context.run && (await isTakenBack(context, store, slot, lease))) return undefined;
  const isOther = lease.owner.kind === "process" && livenessOf(lease.owner.process) !== "dead" && !sameProcess(lease, context);
  const isLost = (slot.status === "busy" || slot.status === "quarantined") && !existsSync(slot.path);
  if ((slot.status !== "busy" && !isLost) || !mine || isOther) throw leaseHeld(slot, context.now());
  if (isLost) {
    const taken = await takeOver(store, slot);
    if (taken === undefined) throw leaseHeld(slot, context.now());
    if (await replaceLost(context, store, taken)) return undefined;
  }
  requireFolder(slot);
  requireConnection(context, slot);
  const operation = operationName("adopt");
  const { state } = await store.commit(operation, (before) => {
    const now = before.slots.find((one) => one.id === slot.id);
    if (now?.operation !== slot.operation || now.lease === null) return undefined;
    if (sameProcess(now.lease, context)) return undefined;
    if (now.lease.owner.kind === "shell") return withSlot(before, slot.id, { lease: renewed(now.lease, context), operation });
    const next: Lease = { ...now.lease, owner: context.owner, token: before.nextToken };
    return { ...withSlot(before, slot.id, { lease: next, operation }), nextToken: before.nextToken + 1 };
  });
  const now = state.slots.find((one) => one.id === slot.id);
  // Another process may take it back at this moment: then it is not the caller's.
  const isMine =
    now?.lease != null &&
    now.status === "busy" &&
    (lease.owner.kind === "shell" || sameProcess(now.lease, context)) &&
    idKey(now.lease.task) === idKey(task);
  if (now === undefined || now.lease === null || !isMine) throw leaseHeld(slot, context.now());
  writePoolView(context.repository, store);
  return { id: slot.id, path: slot.path, lease: now.lease };
}

/** True if the lease is over and its slot was cleared. A slot that could not be cleared keeps its lease. */
async function isTakenBack(context: PoolContext, store: PoolStore, slot: SlotRecord, lease: Lease): Promise<boolean> {
  const isAtRest = slot.status === "busy" || slot.status === "quarantined";
  if (!isAtRest || standingOf(context, slot, lease) !== "over") return false;
  return (await takeBack(context, store, slot, lease)) && !store.read().state.slots.some((one) => one.lease?.token === lease.token);
}

function sameProcess(lease: Lease, context: PoolContext): boolean {
  return (
    lease.owner.kind === "process" &&
    context.owner.kind === "process" &&
    lease.owner.process.pid === context.owner.process.pid &&
    lease.owner.process.startTime === context.owner.process.startTime
  );
}
