import type { Lease } from "../domain/index.ts";
import type { PoolContext } from "./context.ts";
import { rescuedText } from "./lease-text.ts";
import { replaceLost } from "./make-anew.ts";
import type { PoolStore, SlotRecord } from "./pool-state.ts";
import { clearSlot, takeOver } from "./recover.ts";

/**
 * Ends a lease that is over: saves its work, clears the slot and keeps the branch. Returns false if another process is
 * at work on the slot. If the slot cannot be cleared, it is quarantined with the reason.
 */
export async function takeBack(context: PoolContext, store: PoolStore, slot: SlotRecord, lease: Lease): Promise<boolean> {
  const taken = await takeOver(store, slot);
  if (taken === undefined) return false;
  const reason = lease.owner.kind === "shell" ? "its time has passed" : "its owner is gone";
  context.narrate(`${slot.id}: ${lease.task} is taken back, ${reason}`);
  if (await replaceLost(context, store, taken)) return true;
  const { rescue } = await clearSlot(context, store, taken, { reason }).catch(() => ({ rescue: undefined }));
  if (rescue !== undefined) context.narrate(rescuedText(slot, rescue));
  return true;
}
