import { GraftworkError, type Lease } from "../domain/index.ts";
import { attachSlot, type Oid, readRef, updateRefs } from "../git/index.ts";
import { sweepProcesses } from "../subprocess/index.ts";
import { operationName, type PoolContext } from "./context.ts";
import { copyConfigured } from "./copy-files.ts";
import { emptySlot } from "./empty-slot.ts";
import { hydrate, requireHydrated } from "./hydrate.ts";
import { existingStore, type PoolState, requireSlot, type SlotRecord, treeOfSlot, withSlot } from "./pool-state.ts";
import { markersOf, requireConnection, requireFolder } from "./recover.ts";
import { type Rescue, rescueSlot } from "./rescue.ts";
import { writePoolView } from "./view.ts";

export type Restart = {
  slot: string;
  token: number;
  /** The commit to put the slot and its branch on. */
  to: Oid;
  /** Keeps the branch's tip alive before the branch moves; must not exist yet. Null: the branch does not move. */
  keepTipAt: string | null;
};

/**
 * Puts a leased slot back to a clean state, for an attempt that starts over. Unsaved work is rescued first. With
 * `keepTipAt` the branch moves to `to` as well, and its old tip is kept under that ref in the same transaction (`kept`).
 * Throws FENCED if the lease has another holder.
 */
export async function restartLease(context: PoolContext, request: Restart): Promise<{ rescue: Rescue | undefined; kept: boolean }> {
  const { repository } = context;
  const store = existingStore(repository);
  const requireLease = (): { slot: SlotRecord; lease: Lease } => {
    const now = requireSlot(store.read().state, request.slot);
    if (now.lease?.token !== request.token) throw lost(request.slot);
    return { slot: now, lease: now.lease };
  };
  const { slot, lease } = requireLease();
  const tree = treeOfSlot(slot);
  await sweepProcesses({ markers: markersOf(slot), folders: [slot.path] }, 5_000);
  requireFolder(slot);
  requireConnection(context, slot);
  const { rescue, found } = await rescueSlot(context, tree, { task: lease.task, reason: "begun anew", base: slot.head });
  // If this process was stopped meanwhile, it may have lost the lease: then the files are another's.
  requireLease();
  await emptySlot(repository, tree, found, slot.head, request.to);
  const kept = request.keepTipAt !== null && (await moveBranch(context, lease.branch, request.to, request.keepTipAt));
  await attachSlot(repository, tree, lease.branch);
  const ready = await hydrate(context, slot, { goesOn: request.keepTipAt === null });
  requireHydrated(slot, ready);
  await copyConfigured(context, slot);
  await store.commit(operationName("restart"), (state) =>
    isOurs(state, slot.id, request.token)
      ? withSlot(state, slot.id, { head: request.to, ...ready, lease: request.keepTipAt === null ? lease : { ...lease, base: request.to } })
      : undefined,
  );
  requireLease();
  writePoolView(repository, store);
  return { rescue, kept };
}

function isOurs(state: PoolState, id: string, token: number): boolean {
  return state.slots.some((one) => one.id === id && one.lease?.token === token);
}

/** Moves the branch; true if it moved. Repeatable: a branch that was moved before a crash stays, and so does a kept tip. */
async function moveBranch(context: PoolContext, branch: string, to: Oid, keepTipAt: string): Promise<boolean> {
  const ref = `refs/heads/${branch}`;
  const tip = await readRef(context.repository, ref);
  if (tip === undefined || tip === to) return false;
  const kept = (await readRef(context.repository, keepTipAt)) !== undefined;
  const refused = await updateRefs(
    context.repository,
    [...(kept ? [] : [{ ref: keepTipAt, set: tip, old: null }]), { ref, set: to, old: tip }],
    `begin ${branch} anew`,
  );
  if (refused !== undefined) throw lost(branch, refused);
  return true;
}

function lost(slot: string, why?: string): GraftworkError {
  return new GraftworkError("FENCED", {
    message: `The lease of ${slot} has another holder.`,
    because: why ?? "its token is another's.",
    try: "`pool-manager status` shows who holds it.",
  });
}
