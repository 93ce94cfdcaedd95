import { isRunning, livenessOf } from "../subprocess/index.ts";
import { operationName } from "./context.ts";
import type { PoolState, PoolStore, Waiter } from "./pool-state.ts";

/** Those who wait for a slot, in order of arrival; who was killed while waiting is passed over. */
export function liveQueue(state: Pick<PoolState, "waiting">): Waiter[] {
  return state.waiting.filter((one) => livenessOf(one.process) !== "dead");
}

/**
 * How many are to have a slot before the one in this place; who has no place comes last. Who is stopped keeps the place
 * and holds nobody up; so does who is on another host, where nobody can tell whether it lives.
 */
export function placesAhead(waiting: readonly Waiter[], place: string): number {
  const index = waiting.findIndex((one) => one.id === place);
  return waiting.slice(0, index < 0 ? undefined : index).filter((one) => isRunning(one.process)).length;
}

export async function joinQueue(store: PoolStore, waiter: Waiter): Promise<void> {
  await store.commit(operationName("join queue"), (state) =>
    state.waiting.some((one) => one.id === waiter.id) ? undefined : { ...state, waiting: [...liveQueue(state), waiter] },
  );
}

export async function leaveQueue(store: PoolStore, place: string): Promise<void> {
  await store.commit(operationName("leave queue"), (state) =>
    state.waiting.some((one) => one.id === place) ? { ...state, waiting: state.waiting.filter((one) => one.id !== place) } : undefined,
  );
}
