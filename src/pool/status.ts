import { type Lease, type SlotStatus } from "../domain/index.ts";
import { aheadBehind } from "../git/index.ts";
import { livenessOf } from "../subprocess/index.ts";
import type { PoolContext } from "./context.ts";
import { existingStore, treeOfSlot } from "./pool-state.ts";
import { unsavedPaths } from "./slot-work.ts";

export type SlotRow = {
  id: string;
  path: string;
  status: SlotStatus;
  lease: Lease | null;
  ownerAlive: "alive" | "dead" | "unknown" | null;
  /** Commits that the branch has and HEAD of the main worktree has not; null if there is no lease or no branch. */
  ahead: number | null;
  /** Commits that HEAD of the main worktree has and the branch has not. */
  behind: number | null;
  /** Files changed and not committed; null if there is no lease or git could not read the slot. */
  unsaved: number | null;
  lastError: string | null;
};

export type PoolStatus = { size: number; busy: number; idle: number; error: number; slots: readonly SlotRow[] };

/** What the pool looks like now. Looks into busy slots only, so idle ones cost nothing. Throws POOL_MISSING. */
export async function poolStatus(context: PoolContext): Promise<PoolStatus> {
  const { state } = existingStore(context.repository).read();
  const rows = await Promise.all(
    state.slots.map(async (slot): Promise<SlotRow> => {
      const { id, path, status, lease, lastError } = slot;
      const row = { id, path, status, lease, lastError };
      if (lease === null) return { ...row, ownerAlive: null, ahead: null, behind: null, unsaved: null };
      const [counts, changes] = await Promise.all([
        aheadBehind(context.repository, `refs/heads/${lease.branch}`).catch(() => undefined),
        slot.status === "busy" ? unsavedPaths(context, treeOfSlot(slot), slot.head).catch(() => undefined) : undefined,
      ]);
      return {
        ...row,
        ownerAlive: lease.owner.kind === "process" ? livenessOf(lease.owner.process) : null,
        ahead: counts?.ahead ?? null,
        behind: counts?.behind ?? null,
        unsaved: changes?.length ?? null,
      };
    }),
  );
  const of = (...statuses: SlotStatus[]): number => rows.filter((row) => statuses.includes(row.status)).length;
  return {
    size: rows.length,
    busy: of("busy", "preparing", "releasing"),
    idle: of("idle"),
    error: of("broken", "quarantined"),
    slots: rows,
  };
}
