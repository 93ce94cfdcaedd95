import { GraftworkError } from "../domain/index.ts";
import { operationName } from "./context.ts";
import { type PoolState, type PoolStore, type SlotRecord, withSlot } from "./pool-state.ts";

/**
 * Changes a slot that is still as it was seen, and with `also` what goes with it; undefined where another process has
 * made it something else meanwhile. Each step of an acquire or a release gives the slot another `operation`.
 */
export async function commitIfMine(
  store: PoolStore,
  slot: Pick<SlotRecord, "id" | "operation">,
  change: Partial<SlotRecord>,
  also: (state: PoolState) => PoolState = (state) => state,
): Promise<SlotRecord | undefined> {
  const operation = change.operation ?? slot.operation;
  const { changed, state } = await store.commit(operationName("change"), (before) =>
    before.slots.some((one) => one.id === slot.id && one.operation === slot.operation)
      ? also(withSlot(before, slot.id, change))
      : undefined,
  );
  const now = state.slots.find((one) => one.id === slot.id);
  // A commit that was said to have failed may have been written all the same.
  return changed || now?.operation === operation ? now : undefined;
}

/** As `commitIfMine`, for a slot that this process is at work on. Throws FENCED where another has taken it over. */
export async function commitMine(...call: Parameters<typeof commitIfMine>): Promise<SlotRecord> {
  const now = await commitIfMine(...call);
  if (now === undefined) throw fenced(call[1]);
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
