import { GraftworkError, type Lease, type LeasedSlot, requireTaskId, slotNumber } from "../domain/index.ts";
import { attachSlot, branchOff, isAsLeft, moveSlot, type Oid, readRef, trustIndex, updateRefs } from "../git/index.ts";
import { identityOf } from "../subprocess/index.ts";
import { chooseStart } from "./choose-branch.ts";
import { commitMine } from "./commit-mine.ts";
import { operationName, type PoolContext } from "./context.ts";
import { copyConfigured } from "./copy-files.ts";
import { requireDiskSpace } from "./disk-space.ts";
import { emptySlot, isClean } from "./empty-slot.ts";
import { guardSettings } from "./guard.ts";
import { heldLease } from "./held-lease.ts";
import { hydrate, requireHydrated } from "./hydrate.ts";
import { keptFolders } from "./kept-folders.ts";
import { interrupted } from "./lease-text.ts";
import { replaceLost } from "./make-anew.ts";
import { existingStore, type PoolStore, type SlotRecord, treeOfSlot, withSlot } from "./pool-state.ts";
import { choosePortBase } from "./ports.ts";
import { clearSlot, recoverSlots, requireConnection, requireFolder, withoutBranch } from "./recover.ts";
import { rescueSlot } from "./rescue.ts";
import { type AcquireRequest, reserveSlot } from "./reserve-slot.ts";
import { changesIn } from "./slot-work.ts";
import { writePoolView } from "./view.ts";

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
  for (let races = 0; ; ) {
    const start = await chooseStart(context, store.read().state, task, request.base ?? "HEAD", request.branch);
    const { slot, lease } = await reserveSlot(context, store, { ...request, task }, start);
    let created = false;
    try {
      const ready = await prepare(context, store, slot, lease, start.tip, () => (created = true));
      if (request.signal?.aborted === true) throw interrupted(task);
      return await handOut(context, store, slot, ready);
    } catch (error) {
      if (error instanceof GraftworkError && error.code === "FENCED") throw error;
      if (await replaceLost(context, store, slot)) continue;
      await giveBack(context, store, slot, lease, { fresh: start.tip === undefined, created });
      writePoolView(context.repository, store);
      // Another process was at the same task meanwhile: its branch is another now.
      if (error instanceof GraftworkError && error.code === "BRANCH_IN_USE" && races++ < RACES) continue;
      // A fault of that slot alone has quarantined it; another slot may do.
      const isOut = store.read().state.slots.some((one) => one.id === slot.id && one.status === "quarantined");
      if (!isOut || !(error instanceof GraftworkError) || !OF_ONE_SLOT.has(error.code)) throw error;
      context.narrate(`${slot.id} cannot be used: ${error.because}`);
    }
  }
}

/** How often another process may be faster before the caller is told. */
const RACES = 5;

const OF_ONE_SLOT: ReadonlySet<string> = new Set(["SLOT_QUARANTINED", "RESCUE_FAILED"]);

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
  const lookedAt = Date.now();
  const found = await changesIn(context, tree, slot.head, { keep, nested: slot.head !== lease.base });
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
  } else {
    trustIndex(repository, tree, lookedAt);
    if (slot.head !== lease.base) await moveSlot(repository, tree, slot.head, lease.base);
  }
  if (tip === undefined) {
    const refused = await branchOff(repository, tree, lease.branch).catch((error: unknown) => {
      // A git that was killed may have made it before.
      onCreated();
      throw error;
    });
    // Where git could not put HEAD on it, the branch is there all the same, and ours.
    if (refused !== undefined && !refused.includes("already exists")) onCreated();
    if (refused !== undefined) throw branchTaken(lease.branch, refused);
    onCreated();
  } else {
    await attachSlot(repository, tree, lease.branch);
    // Git lets nobody check it out elsewhere from here on; before, another process may have committed to it.
    if ((await readRef(repository, `refs/heads/${lease.branch}`)) !== tip) throw branchTaken(lease.branch, "it has moved meanwhile.");
  }
  const ready = await hydrate(context, slot, { goesOn: tip !== undefined });
  requireHydrated(slot, ready);
  await copyConfigured(context, slot);
  const { state } = store.read();
  return { ...ready, lease: { ...lease, portBase: await choosePortBase(context, state, slotNumber(slot.id) ?? 0) } };
}

/** The last step: the slot is the task's from here on. Throws FENCED if another process took it meanwhile. */
async function handOut(context: PoolContext, store: PoolStore, slot: SlotRecord, ready: Ready): Promise<LeasedSlot> {
  const { lease } = ready;
  const change = { status: "busy", worker: null, head: lease.base, operation: operationName("busy"), ...ready } as const;
  await commitMine(store, slot, change, (state) => {
    const record = state.branches[lease.branch];
    // A record of another run is of a branch that was deleted: this run made the one that is there now.
    if (record === undefined || (record.handedOut && record.run === lease.run)) return state;
    const { task, run } = lease;
    return { ...state, branches: { ...state.branches, [lease.branch]: { ...record, task, run, handedOut: true } } };
  });
  writePoolView(context.repository, store);
  return { id: slot.id, path: slot.path, lease };
}

/**
 * Undoes an acquire that failed: the slot is idle again, and a branch that was to be new is ours no more. It is
 * deleted only if this acquire made it and it is still at its base.
 */
async function giveBack(
  context: PoolContext,
  store: PoolStore,
  slot: SlotRecord,
  lease: Lease,
  branch: { fresh: boolean; created: boolean },
): Promise<void> {
  const operation = operationName("give back");
  const { state } = await store.commit(operation, (before) =>
    before.slots.some((one) => one.lease?.token === lease.token && (one.operation === slot.operation || one.status === "busy"))
      ? withSlot(before, slot.id, { status: "releasing", worker: identityOf(process.pid), operation })
      : undefined,
  );
  const current = state.slots.find((one) => one.id === slot.id && one.operation === operation);
  // Another process has taken it over, and undoes what there is to undo.
  if (current === undefined) return;
  // Where that fails too the slot is quarantined; the task never had it.
  await clearSlot(context, store, current, { reason: "acquire failed" }).catch(() =>
    store.commit(operationName("no lease"), (before) =>
      before.slots.some((one) => one.id === slot.id && one.lease?.token === lease.token)
        ? withSlot(before, slot.id, { lease: null })
        : undefined,
    ),
  );
  if (!branch.fresh) return;
  const ref = `refs/heads/${lease.branch}`;
  const isThere = branch.created && (await readRef(context.repository, ref)) !== undefined;
  const remove = { ref, remove: true, old: lease.base } as const;
  if (isThere && (await updateRefs(context.repository, [remove], `undo the acquire of ${lease.task}`)) !== undefined) return;
  // A branch that was a task's stays on record: another process made it while this one looked.
  await store.commit(operationName("forget"), (before) =>
    before.branches[lease.branch]?.handedOut === false ? withoutBranch(before, lease.branch) : undefined,
  );
}

function branchTaken(branch: string, refused: string): GraftworkError {
  return new GraftworkError("BRANCH_IN_USE", {
    message: `Branch ${branch} could not be made.`,
    because: refused,
    try: "run the same command again; it takes the next free name.",
  });
}
