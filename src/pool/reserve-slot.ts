import { setTimeout as delay } from "node:timers/promises";
import { idKey, type Lease } from "../domain/index.ts";
import type { Oid } from "../git/index.ts";
import { identityOf, uptimeMs } from "../subprocess/index.ts";
import type { Start } from "./choose-branch.ts";
import { commitIfMine } from "./commit-mine.ts";
import { operationName, type PoolContext } from "./context.ts";
import { exhausted, interrupted, leaseHeld } from "./lease-text.ts";
import { renewed, standingOf, uptimeOf } from "./lease-time.ts";
import { type PoolState, type PoolStore, type SlotRecord, withSlot } from "./pool-state.ts";
import { joinQueue, leaveQueue, liveQueue, placesAhead } from "./queue.ts";
import { recoverSlots } from "./recover.ts";
import { takeBack } from "./take-back.ts";
import { writePoolView } from "./view.ts";

const LOOK_AGAIN_MS = 100;

export type AcquireRequest = {
  task: string;
  /** Where the task's branch begins; default: HEAD of the main worktree. */
  base?: string;
  /** The slot to take if it is idle. */
  prefer?: string;
  /** The branch that this run gave the task, if the caller knows it: a pool that was made again has forgotten it. */
  branch?: string;
  /** How long to wait for a slot, in order of arrival; default: not at all. */
  waitMs?: number;
  /** How long a shell's lease lives without a sign of use; default: `pool.ttl`. */
  ttlMs?: number;
  signal?: AbortSignal;
};

/** Takes a slot for the task and marks it as being prepared by this process. Waits for one if the request says so. */
export async function reserveSlot(
  context: PoolContext,
  store: PoolStore,
  request: AcquireRequest,
  start: Start,
): Promise<{ slot: SlotRecord; lease: Lease }> {
  const deadline = uptimeMs() + (request.waitMs ?? 0);
  const place = operationName("wait");
  let waits = false;
  try {
    for (;;) {
      if (request.signal?.aborted === true) throw interrupted(request.task);
      const taken = await tryReserve(context, store, request, start, place);
      if (taken !== undefined) return taken;
      if (await reclaim(context, store)) continue;
      if (uptimeMs() >= deadline) throw exhausted(store.read().state, request.task, context.now());
      if (!waits) await joinQueue(store, { id: place, task: request.task, process: identityOf(process.pid) });
      waits = true;
      await delay(LOOK_AGAIN_MS);
      await recoverSlots(context, store);
    }
  } catch (error) {
    if (waits) await leaveQueue(store, place);
    // Leases were renewed or taken back on the way.
    writePoolView(context.repository, store);
    throw error;
  }
}

async function tryReserve(
  context: PoolContext,
  store: PoolStore,
  request: AcquireRequest,
  { base, branch, tip }: Start,
  place: string,
): Promise<{ slot: SlotRecord; lease: Lease } | undefined> {
  const { now, owner, run } = context;
  const operation = operationName("acquire");
  const { task } = request;
  const { state } = await store.commit(operation, (before) => {
    const waiting = liveQueue(before);
    const free = nearest(before, tip ?? base, placesAhead(waiting, place), request.prefer);
    if (free === undefined || before.slots.some((slot) => slot.lease !== null && idKey(slot.lease.task) === idKey(task))) return undefined;
    const token = before.nextToken;
    const ttlMs = owner.kind === "process" ? null : (request.ttlMs ?? context.settings.ttlMs);
    const acquiredAt = now();
    const lease: Lease = {
      task,
      base: tip ?? base,
      branch,
      run,
      token,
      owner,
      ttlMs,
      portBase: null,
      acquiredAt: acquiredAt.toISOString(),
      expiresAt: ttlMs === null ? null : new Date(acquiredAt.getTime() + ttlMs).toISOString(),
      renewed: uptimeOf(context),
    };
    const next = withSlot(before, free.id, { status: "preparing", lease, worker: identityOf(process.pid), lastError: null, operation });
    const known = before.branches[branch];
    return {
      ...next,
      waiting: waiting.filter((one) => one.id !== place),
      nextToken: token + 1,
      branches: { ...next.branches, [branch]: known ?? { task, run, base: lease.base, handedOut: tip !== undefined } },
    };
  });
  const slot = state.slots.find((one) => one.operation === operation);
  if (slot?.lease != null) return { slot, lease: slot.lease };
  const other = state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(task));
  if (other !== undefined) throw leaseHeld(other, context.now());
  return undefined;
}

/**
 * Returns the preferred slot if it is idle, else the idle slot that needs least work: one at the wanted commit, else the
 * lowest number. Returns undefined if those who came before (`ahead`) need all idle slots.
 */
export function nearest(state: PoolState, base: Oid, ahead = 0, prefer?: string): SlotRecord | undefined {
  const idle = state.slots.filter((slot) => slot.status === "idle" && slot.admin !== null);
  if (idle.length <= ahead) return undefined;
  const preferred = prefer === undefined ? undefined : idle.find((slot) => slot.id === prefer);
  if (preferred !== undefined) return preferred;
  return idle.find((slot) => slot.head === base && slot.dependencies !== null) ?? idle.find((slot) => slot.head === base) ?? idle[0];
}

/** Takes back one slot whose owner is proved gone or whose time has passed without a sign of use; its work is rescued first. */
async function reclaim(context: PoolContext, store: PoolStore): Promise<boolean> {
  for (const slot of store.read().state.slots) {
    if (slot.status !== "busy" || slot.lease === null) continue;
    const standing = standingOf(context, slot, slot.lease);
    if (standing === "live") continue;
    if (standing === "in use") {
      await renewLease(context, store, slot, slot.lease);
      continue;
    }
    if (await takeBack(context, store, slot, slot.lease)) return true;
  }
  return false;
}

async function renewLease(context: PoolContext, store: PoolStore, seen: SlotRecord, lease: Lease): Promise<void> {
  await commitIfMine(store, seen, { lease: renewed(lease, context), operation: operationName("renew") });
}
