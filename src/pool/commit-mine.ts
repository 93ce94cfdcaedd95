import { GraftworkError } from "../domain/index.ts";
import { operationName } from "./context.ts";
import { type PoolState, type PoolStore, type SlotRecord, withSlot } from "./pool-state.ts";

/**
 * Changes a slot that this process is at work on, and with `also` what goes with it. Throws FENCED where another has
 * taken the slot over meanwhile. Each step gives the slot another `operation`, so that nobody acts on what it was before.
 */
export async function commitMine(
  store: PoolStore,
  slot: Pick<SlotRecord, "id" | "operation">,
  change: Partial<SlotRecord>,
  also: (state: PoolState) => PoolState = (state) => state,
): Promise<SlotRecord> {
  const operation = change.operation ?? slot.operation;
  const { changed, state } = await store.commit(operationName("change"), (before) =>
    before.slots.some((one) => one.id === slot.id && one.operation === slot.operation)
      ? also(withSlot(before, slot.id, change))
      : undefined,
  );
  const now = state.slots.find((one) => one.id === slot.id);
  // A commit that was said to have failed may have been written all the same.
  if (now === undefined || (!changed && now.operation !== operation)) throw fenced(slot);
  return now;
}

function fenced(slot: Pick<SlotRecord, "id">): GraftworkError {
  return new GraftworkError("FENCED", {
    message: `${slot.id} is not this process's any more.`,
    because: "another process took it over while this one was stopped.",
    try: "`pool-manager status` shows who holds it; nothing was changed here.",
    details: { slot: slot.id },
  });
}
