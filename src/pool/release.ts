import { GraftworkError } from "../domain/index.ts";
import { identityOf, livenessOf } from "../subprocess/index.ts";
import { operationName, type PoolContext } from "./context.ts";
import { holderText, rescuedText } from "./lease-text.ts";
import { replaceLost } from "./make-anew.ts";
import { existingStore, findSlot, type PoolStore, requireSlot, type SlotRecord, withSlot } from "./pool-state.ts";
import { type ClearResult, clearSlot, recoverSlots } from "./recover.ts";
import { writePoolView } from "./view.ts";

export type ReleaseRequest = {
  /** A slot id or a task. */
  name: string;
  /** The lease's token: proves that the caller holds it. */
  token?: number;
  /** Throws unsaved work away instead of rescuing it. */
  discard?: boolean;
  /** Also where a live run holds it. */
  force?: boolean;
};

export type Released = { slot: string; wasIdle: boolean; branch: string | null; rescue: ClearResult["rescue"] };

/**
 * Ends a lease: stops what runs in the slot, saves what is in no branch, puts the slot back to a clean state and
 * keeps the branch. An idle slot stays idle. Throws SLOT_UNKNOWN, LEASE_HELD, RESCUE_FAILED, SLOT_QUARANTINED.
 */
export async function releaseSlot(context: PoolContext, request: ReleaseRequest): Promise<Released> {
  const store = existingStore(context.repository);
  await recoverSlots(context, store);
  const { state } = store.read();
  const isOver = (findSlot(state, request.name)?.status ?? "idle") === "idle";
  // A release that was killed as its last step did not come to it.
  if (isOver) writePoolView(context.repository, store);
  const seen = requireSlot(state, request.name);
  if (isOver) return { slot: seen.id, wasIdle: true, branch: null, rescue: undefined };
  const slot = await mark(context, store, seen, request);
  // Ended by another process meanwhile: the slot may be anybody's by now.
  if (slot === undefined) return { slot: seen.id, wasIdle: true, branch: null, rescue: undefined };
  try {
    // Somebody deleted its folder: the lease ends all the same.
    if (await replaceLost(context, store, slot))
      return { slot: slot.id, wasIdle: false, branch: slot.lease?.branch ?? null, rescue: undefined };
    const { rescue, ended } = await clearSlot(context, store, slot, { reason: "release", discard: request.discard === true });
    if (ended > 0) context.narrate(`${slot.id}: ended ${ended} process${ended === 1 ? "" : "es"} that still ran there`);
    if (rescue !== undefined) context.narrate(rescuedText(slot, rescue));
    return { slot: slot.id, wasIdle: false, branch: slot.lease?.branch ?? null, rescue };
  } finally {
    writePoolView(context.repository, store);
  }
}

/** Makes the slot this process's to clear; undefined where the lease that was seen is over already. */
async function mark(context: PoolContext, store: PoolStore, seen: SlotRecord, request: ReleaseRequest): Promise<SlotRecord | undefined> {
  const operation = operationName("release");
  const { state } = await store.commit(operation, (before) => {
    const now = requireSlot(before, seen.id);
    if (now.status === "idle") return undefined;
    if (request.token === undefined && now.lease?.token !== seen.lease?.token) return undefined;
    requireRight(context, now, request);
    return withSlot(before, seen.id, { status: "releasing", worker: identityOf(process.pid), operation });
  });
  const slot = requireSlot(state, seen.id);
  return slot.operation === operation ? slot : undefined;
}

function requireRight(context: PoolContext, slot: SlotRecord, request: ReleaseRequest): void {
  const { lease } = slot;
  const worker = slot.worker === null ? "dead" : livenessOf(slot.worker);
  // A worker on another host, or in a container that is gone, is never proved dead: then a person's word counts.
  const working = (worker === "alive" && slot.worker?.pid !== process.pid) || (worker === "unknown" && request.force !== true);
  const byToken = lease !== null && request.token === lease.token;
  if (request.token !== undefined && !byToken)
    throw held(context, slot, "the token is not that of the lease (it has another holder by now).");
  if (working) throw held(context, slot, `process ${slot.worker?.pid} is ${slot.status} it.`);
  if (lease === null || byToken || request.force === true) return;
  if (lease.owner.kind === "process" && livenessOf(lease.owner.process) !== "dead")
    throw held(context, slot, holderText(slot, context.now()));
}

function held(context: PoolContext, slot: SlotRecord, because: string): GraftworkError {
  return new GraftworkError("LEASE_HELD", {
    message: `${slot.id} is not released: it is in use.`,
    because,
    try: `\`graftwork stop\`, or \`pool-manager release ${slot.id} --force\` (its work is saved first).`,
    details: { slot: slot.id, task: slot.lease?.task, run: slot.lease?.run, at: context.now().toISOString() },
  });
}
