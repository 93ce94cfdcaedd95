import type { LeasedSlot } from "../domain/index.ts";
import { isOnBranch, type Oid, readRef, unfinishedIn, updateRefs } from "../git/index.ts";
import type { PoolContext } from "./context.ts";
import { existingStore, requireSlot, treeOfSlot } from "./pool-state.ts";
import { restartLease } from "./restart.ts";

/**
 * Makes a leased slot fit for another attempt. If the lease's branch was deleted, it is made again at `at`. If the slot
 * is on another branch, or git was stopped half-way in it, the slot is put on the tip of its own branch, and what it
 * held is rescued. Otherwise nothing is touched. Throws FENCED if the lease is lost.
 */
export async function mendLease(context: PoolContext, { id, lease }: LeasedSlot, at: Oid): Promise<void> {
  const { repository, narrate } = context;
  const tree = treeOfSlot(requireSlot(existingStore(repository).read().state, id));
  const ref = `refs/heads/${lease.branch}`;
  const tip = await readRef(repository, ref);
  const isSound = tip !== undefined && isOnBranch(repository, tree, lease.branch) && unfinishedIn(repository, tree) === null;
  if (isSound) return;
  if (tip === undefined) {
    // Another process may have made it at this moment: then that one counts.
    const refused = await updateRefs(repository, [{ ref, set: at, old: null }], `make ${lease.branch} again`);
    narrate(`${lease.branch} was deleted; ${refused === undefined ? "made" : "found"} again at ${at.slice(0, 8)}`);
  }
  const { rescue } = await restartLease(context, { slot: id, token: lease.token, to: tip ?? at, keepTipAt: null });
  if (rescue !== undefined) narrate(`${id} was not on ${lease.branch}: what it held is saved as rescue ${rescue.id}`);
}
