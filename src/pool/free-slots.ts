import type { PoolState } from "./pool-state.ts";

/** The slots of a pool as one run sees them. */
export type FreeSlots = {
  /** Slots that anyone may take. */
  idle: number;
  /** Slots that the run holds, those being prepared or released included. */
  mine: number;
  /** All other slots. `task` and `run` are null if the slot has no lease. */
  others: readonly { slot: string; task: string | null; run: string | null }[];
};

/** Counts the slots that `run` can take, and names those that it cannot. */
export function freeSlots({ slots }: PoolState, run: string): FreeSlots {
  const isMine = (slot: PoolState["slots"][number]): boolean =>
    slot.lease?.run === run && (slot.status === "busy" || slot.status === "preparing" || slot.status === "releasing");
  const others = slots.filter((slot) => slot.status !== "idle" && !isMine(slot));
  return {
    idle: slots.filter((slot) => slot.status === "idle").length,
    mine: slots.filter(isMine).length,
    others: others.map(({ id, lease }) => ({ slot: id, task: lease?.task ?? null, run: lease?.run ?? null })),
  };
}
