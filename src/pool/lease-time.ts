import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Lease } from "../domain/index.ts";
import { livenessOf, systemUptime, type Uptime } from "../subprocess/index.ts";
import type { PoolContext } from "./context.ts";
import type { SlotRecord } from "./pool-state.ts";

/** The moment by which leases run out: no setting of the time of day moves it (review-core rule 18). */
export function uptimeOf(context: PoolContext): Uptime {
  return context.uptime?.() ?? systemUptime();
}

/**
 * `gone`: nobody can still be working for the lease. `unseen`: the machine was started since it was last renewed (or
 * it stems from an earlier format), so its time begins to count now. A sleep of the machine counts for nothing.
 */
function leaseAge(lease: Lease, now: Uptime): "live" | "gone" | "unseen" {
  if (lease.owner.kind === "process") return livenessOf(lease.owner.process) === "dead" ? "gone" : "live";
  if (lease.ttlMs === null || lease.renewed.bootId !== now.bootId) return "unseen";
  return now.ms - lease.renewed.ms >= lease.ttlMs ? "gone" : "live";
}

/**
 * `over`: the slot may be taken back. `in use`: its time has passed, or is not known, and it is to be renewed: somebody
 * writes in the slot, or the machine was started since.
 */
export function standingOf(context: PoolContext, slot: SlotRecord, lease: Lease): "live" | "in use" | "over" {
  const age = leaseAge(lease, uptimeOf(context));
  if (age === "live") return "live";
  return age === "unseen" || (lease.owner.kind === "shell" && isInUse(context, slot)) ? "in use" : "over";
}

/** The lease, as good as new. */
export function renewed(lease: Lease, context: PoolContext): Lease {
  if (lease.owner.kind === "process") return lease;
  const ttlMs = lease.ttlMs ?? context.settings.ttlMs;
  return { ...lease, ttlMs, renewed: uptimeOf(context), expiresAt: new Date(context.now().getTime() + ttlMs).toISOString() };
}

/**
 * True where something in the slot was written within the lease's time: whoever works there needs the slot still. By
 * the time of day, since files have no other; it can only lengthen a lease.
 */
function isInUse(context: PoolContext, slot: SlotRecord): boolean {
  const ttlMs = slot.lease?.ttlMs ?? context.settings.ttlMs;
  const since = context.now().getTime() - ttlMs;
  const touched = (path: string, isFolder: boolean): boolean => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return false;
    if (stat.ctimeMs > since) return true;
    if (!isFolder) return false;
    return entriesOf(path).some((entry) => entry.name !== "node_modules" && touched(join(path, entry.name), entry.isDirectory()));
  };
  return touched(slot.path, true);
}

/** None where it is gone by now, or may not be read: nobody writes there then. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
