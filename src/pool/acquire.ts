import { setTimeout as delay } from "node:timers/promises";
import { GraftworkError, idKey, type Lease, type LeasedSlot, requireTaskId, slotNumber } from "../domain/index.ts";
import { attachSlot, branchOff, isAsLeft, moveSlot, type Oid, updateRefs } from "../git/index.ts";
import { identityOf, livenessOf, uptimeMs } from "../subprocess/index.ts";
import { chooseStart, type Start } from "./choose-branch.ts";
import { operationName, type PoolContext } from "./context.ts";
import { copyConfigured } from "./copy-files.ts";
import { requireDiskSpace } from "./disk-space.ts";
import { emptySlot, isClean } from "./empty-slot.ts";
import { guardSettings } from "./guard.ts";
import { hydrate, requireHydrated } from "./hydrate.ts";
import { keptFolders } from "./kept-folders.ts";
import { exhausted, leaseHeld } from "./lease-text.ts";
import { isInUse, leaseAge, renewed, uptimeOf } from "./lease-time.ts";
import { existingStore, type PoolState, type PoolStore, type SlotRecord, treeOfSlot, withSlot } from "./pool-state.ts";
import { choosePortBase } from "./ports.ts";
import { joinQueue, leaveQueue, liveQueue, placesAhead } from "./queue.ts";
import { clearSlot, fenced, recoverSlots, requireConnection, requireFolder, takeOver, withoutBranch } from "./recover.ts";
import { rescueSlot } from "./rescue.ts";
import { changesIn } from "./slot-work.ts";
import { writePoolView } from "./view.ts";

const LOOK_AGAIN_MS = 100;

export type AcquireRequest = {
  task: string;
  /** Where the task's branch begins; default: HEAD of the main worktree. */
  base?: string;
  /** How long to wait for a slot, in order of arrival; default: not at all. */
  waitMs?: number;
  /** How long a shell's lease lives without a sign of use; default: `pool.ttl`. */
  ttlMs?: number;
  signal?: AbortSignal;
};

/**
 * Leases the idle slot nearest to the wanted base to a task, on branch `<prefix>/<task>`. Asked again by the same
 * owner, or by a resumed run whose process is gone, it returns the same lease and touches nothing in the slot.
 * Throws ID_INVALID, POOL_MISSING, POOL_EXHAUSTED, DISK_LOW, LEASE_HELD, BRANCH_IN_USE, REF_UNKNOWN, SETUP_FAILED, FENCED.
 */
export async function acquireSlot(context: PoolContext, request: AcquireRequest): Promise<LeasedSlot> {
  const task = requireTaskId(request.task);
  const store = existingStore(context.repository);
  await recoverSlots(context, store);
  const held = await heldLease(context, store, task);
  if (held !== undefined) return held;
  const { state } = store.read();
  requireDiskSpace(context, state, 0);
  await guardSettings(context, state);
  const start = await chooseStart(context, state, task, request.base ?? "HEAD");
  for (;;) {
    const { slot, lease } = await reserve(context, store, { ...request, task }, start);
    let created = false;
    try {
      const ready = await prepare(context, store, slot, lease, start.tip, () => (created = true));
      return await handOut(context, store, slot, ready);
    } catch (error) {
      if (error instanceof GraftworkError && error.code === "FENCED") throw error;
      await giveBack(context, store, slot, lease, { fresh: start.tip === undefined, created });
      writePoolView(context.repository, store);
      // That slot is quarantined by now; another one may do.
      if (!(error instanceof GraftworkError) || error.code !== "SLOT_QUARANTINED") throw error;
      context.narrate(`${slot.id} cannot be used: ${error.because}`);
    }
  }
}

/** The task's live lease, where it is the caller's own or that of a dead process of the same run. */
async function heldLease(context: PoolContext, store: PoolStore, task: string): Promise<LeasedSlot | undefined> {
  const slot = store.read().state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(task));
  if (slot?.lease === undefined || slot.lease === null) return undefined;
  const { lease } = slot;
  const mine = lease.run === context.run && lease.owner.kind === context.owner.kind && lease.owner.name === context.owner.name;
  const isOther = lease.owner.kind === "process" && livenessOf(lease.owner.process) !== "dead" && !sameProcess(lease, context);
  if (slot.status !== "busy" || !mine || isOther) throw leaseHeld(slot, context.now());
  requireFolder(slot);
  const operation = operationName("adopt");
  const { state } = await store.commit(operation, (before) => {
    const now = before.slots.find((one) => one.id === slot.id);
    if (now?.operation !== slot.operation || now.lease === null) return undefined;
    if (sameProcess(now.lease, context)) return undefined;
    if (now.lease.owner.kind === "shell") return withSlot(before, slot.id, { lease: renewed(now.lease, context) });
    const next: Lease = { ...now.lease, owner: context.owner, token: before.nextToken };
    return { ...withSlot(before, slot.id, { lease: next, operation }), nextToken: before.nextToken + 1 };
  });
  const now = state.slots.find((one) => one.id === slot.id);
  const isMine =
    now?.lease != null && (lease.owner.kind === "shell" || sameProcess(now.lease, context)) && idKey(now.lease.task) === idKey(task);
  if (now === undefined || now.lease === null || !isMine) throw leaseHeld(slot, context.now());
  writePoolView(context.repository, store);
  return { id: slot.id, path: slot.path, lease: now.lease };
}

function sameProcess(lease: Lease, context: PoolContext): boolean {
  return (
    lease.owner.kind === "process" &&
    context.owner.kind === "process" &&
    lease.owner.process.pid === context.owner.process.pid &&
    lease.owner.process.startTime === context.owner.process.startTime
  );
}

/** A slot for the task, marked as being prepared by this process; waits for one where the request says so. */
async function reserve(
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
      const taken = await tryReserve(context, store, request, start, place);
      if (taken !== undefined) return taken;
      if (await reclaim(context, store)) continue;
      if (uptimeMs() >= deadline || request.signal?.aborted === true) throw exhausted(store.read().state, request.task, context.now());
      if (!waits) await joinQueue(store, { id: place, task: request.task, process: identityOf(process.pid) });
      waits = true;
      await delay(LOOK_AGAIN_MS);
      await recoverSlots(context, store);
    }
  } catch (error) {
    if (waits) await leaveQueue(store, place);
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
    const free = nearest(before, tip ?? base, placesAhead(waiting, place));
    if (free === undefined || before.slots.some((slot) => slot.lease !== null && idKey(slot.lease.task) === idKey(task))) return undefined;
    const token = before.nextToken;
    const ttlMs = owner.kind === "process" ? null : (request.ttlMs ?? context.settings.ttlMs);
    const acquiredAt = now();
    const lease: Lease = {
      ...{ task, base: tip ?? base, branch, run, token, owner, ttlMs, portBase: null },
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
      branches: { ...next.branches, [branch]: known ?? { task, run, base: lease.base } },
    };
  });
  const slot = state.slots.find((one) => one.operation === operation);
  if (slot?.lease != null) return { slot, lease: slot.lease };
  const other = state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(task));
  if (other !== undefined) throw leaseHeld(other, context.now());
  return undefined;
}

/**
 * The idle slot that needs least work: at the wanted commit already, else the lowest number. None where all that are
 * idle are for those who came before (`ahead`).
 */
export function nearest(state: PoolState, base: Oid, ahead = 0): SlotRecord | undefined {
  const idle = state.slots.filter((slot) => slot.status === "idle" && slot.admin !== null);
  if (idle.length <= ahead) return undefined;
  return idle.find((slot) => slot.head === base && slot.dependencies !== null) ?? idle.find((slot) => slot.head === base) ?? idle[0];
}

/** Takes back one slot whose owner is proved gone or whose time has passed without a sign of use; its work is rescued first. */
async function reclaim(context: PoolContext, store: PoolStore): Promise<boolean> {
  for (const slot of store.read().state.slots) {
    if (slot.status !== "busy" || slot.lease === null) continue;
    const age = leaseAge(slot.lease, uptimeOf(context));
    if (age === "live") continue;
    if (age === "unseen" || (slot.lease.owner.kind === "shell" && isInUse(context, slot))) {
      await renewLease(context, store, slot);
      continue;
    }
    const taken = await takeOver(store, slot);
    if (taken === undefined) continue;
    context.narrate(
      `${slot.id}: ${slot.lease.task} is taken back, ${slot.lease.owner.kind === "shell" ? "its time has passed" : "its owner is gone"}`,
    );
    // Where that fails it is quarantined with the reason; another one may do.
    await clearSlot(context, store, taken, { reason: "its owner is gone" }).catch(() => undefined);
    return true;
  }
  return false;
}

async function renewLease(context: PoolContext, store: PoolStore, seen: SlotRecord): Promise<void> {
  await store.commit(operationName("renew"), (before) => {
    const now = before.slots.find((slot) => slot.id === seen.id);
    if (now?.lease === undefined || now.lease === null || now.operation !== seen.operation) return undefined;
    return withSlot(before, seen.id, { lease: renewed(now.lease, context) });
  });
}

type Ready = Pick<SlotRecord, "dependencies" | "lastError"> & { lease: Lease };

/** Brings the slot to the lease's commit and branch. Proves first that what an earlier lease left is gone. */
async function prepare(
  context: PoolContext,
  store: PoolStore,
  slot: SlotRecord,
  lease: Lease,
  tip: Oid | undefined,
  onCreated: () => void,
): Promise<Ready> {
  const { repository } = context;
  requireFolder(slot);
  requireConnection(context, slot);
  const tree = treeOfSlot(slot);
  // A folder that the lease's commit has files in does not stay.
  const keep = await keptFolders(context, tree, lease.base);
  const found = await changesIn(context, tree, slot.head, { keep, nested: false });
  if (slot.head === null || !isClean(found) || !isAsLeft(repository, tree, slot.head)) {
    // Somebody may have worked in the idle slot by hand: that is saved like any other work.
    const work = {
      task: lease.task,
      reason: "found in an idle slot",
      base: slot.head,
      found: await changesIn(context, tree, slot.head, { keep }),
    };
    const { rescue } = await rescueSlot(context, tree, work);
    if (rescue !== undefined) context.narrate(`${slot.id} was not clean: saved as rescue ${rescue.id}`);
    await emptySlot(repository, tree, work.found, slot.head, lease.base);
  } else if (slot.head !== lease.base) await moveSlot(repository, tree, slot.head, lease.base);
  if (tip === undefined) {
    const refused = await branchOff(repository, tree, lease.branch);
    if (refused !== undefined) throw branchTaken(lease.branch, refused);
    onCreated();
  } else await attachSlot(repository, tree, lease.branch);
  const ready = await hydrate(context, slot);
  requireHydrated(slot, ready);
  await copyConfigured(context, slot);
  const { state } = store.read();
  return { ...ready, lease: { ...lease, portBase: await choosePortBase(context, state, slotNumber(slot.id) ?? 0) } };
}

/** The last step: from here on the slot is the task's. Throws FENCED where another process took it meanwhile. */
async function handOut(context: PoolContext, store: PoolStore, slot: SlotRecord, ready: Ready): Promise<LeasedSlot> {
  const { lease } = ready;
  const operation = operationName("busy");
  const { state } = await store.commit(operation, (before) => {
    const now = before.slots.find((one) => one.id === slot.id);
    if (now?.operation !== slot.operation) return undefined;
    return withSlot(before, slot.id, { status: "busy", worker: null, head: lease.base, operation, ...ready });
  });
  const now = state.slots.find((one) => one.id === slot.id);
  if (now?.status !== "busy" || now.lease?.token !== lease.token) throw fenced(slot);
  writePoolView(context.repository, store);
  return { id: slot.id, path: slot.path, lease };
}

/**
 * Undoes an acquire that failed: the slot is idle again, and a branch that was to be new is ours no more. It is
 * deleted only where this acquire made it and it is still at its base.
 */
async function giveBack(
  context: PoolContext,
  store: PoolStore,
  slot: SlotRecord,
  lease: Lease,
  branch: { fresh: boolean; created: boolean },
): Promise<void> {
  const operation = operationName("give back");
  await store.commit(operation, (state) => withSlot(state, slot.id, { status: "releasing", worker: identityOf(process.pid), operation }));
  const current = store.read().state.slots.find((one) => one.id === slot.id) ?? slot;
  // Where that fails too the slot is quarantined; the task never had it.
  await clearSlot(context, store, current, { reason: "acquire failed" }).catch(() =>
    store.commit(operationName("no lease"), (state) => withSlot(state, slot.id, { lease: null })),
  );
  if (!branch.fresh) return;
  const remove = { ref: `refs/heads/${lease.branch}`, remove: true, old: lease.base } as const;
  if (branch.created && (await updateRefs(context.repository, [remove], `undo the acquire of ${lease.task}`)) !== undefined) return;
  await store.commit(operationName("forget"), (state) =>
    state.branches[lease.branch]?.task === lease.task ? withoutBranch(state, lease.branch) : undefined,
  );
}

function branchTaken(branch: string, refused: string): GraftworkError {
  return new GraftworkError("BRANCH_IN_USE", {
    message: `Branch ${branch} could not be made.`,
    because: refused,
    try: "run the same command again; it takes the next free name.",
  });
}
