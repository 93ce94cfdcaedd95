import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import { storeExists } from "../state/index.ts";
import { isStartedBy } from "../subprocess/index.ts";
import { UNNAMED } from "./context.ts";
import { existingStore, type SlotRecord } from "./pool-state.ts";

/** The lease that a program works for. */
export type CallerLease = {
  /** The slot's id, or the caller's marker if it fits no slot of this repository. */
  slot: string;
  task: string;
  /** The slot is somebody else's by now, or nobody's. */
  isOver: boolean;
  /** A session of a client holds it, under this name; null: a run, or nobody knows. */
  session: string | null;
  /** Only the folder that it stands in says so: it may be a person. */
  byFolder: boolean;
};

/** What tells whom a caller works for: its folder, and values of `GRAFTWORK_LEASE` and `GRAFTWORK_SLOT_PATH` of it and above it. */
export type CallerSigns = { cwd: string; leases: readonly string[]; slotPaths: readonly string[] };

/**
 * Returns the lease that a caller works for, by its environment and that of the processes that started it, by the program that
 * prepares a slot, or by the folder that it stands in. A caller with a lease that fits no slot here is a program too.
 * Undefined if there is no sign of a lease.
 */
export function leaseOfCaller(repository: Repository | undefined, { cwd, leases, slotPaths }: CallerSigns): CallerLease | undefined {
  const folder = realpathSync(cwd);
  for (const { id, path, lease, worker } of repository === undefined ? [] : slotsOf(repository)) {
    const marker = leases.find((one) => one.startsWith(`${path}#`));
    const isAtWork = marker !== undefined || slotPaths.includes(path) || (worker !== null && isStartedBy(worker));
    const standsIn = lease !== null && (folder === path || folder.startsWith(`${path}${sep}`));
    if (!isAtWork && !standsIn) continue;
    return {
      slot: id,
      task: lease?.task ?? "",
      isOver: marker !== undefined && marker !== (lease === null ? undefined : `${path}#${lease.token}`),
      session: lease?.owner.kind === "shell" && lease.owner.name !== UNNAMED ? lease.owner.name : null,
      byFolder: !isAtWork,
    };
  }
  const [unknown] = leases;
  return unknown === undefined ? undefined : { slot: unknown, task: "", isOver: true, session: null, byFolder: false };
}

/** The slots; none if their record is damaged, since the verb that mends it must not fail here. */
function slotsOf(repository: Repository): readonly SlotRecord[] {
  if (!storeExists(repository.layout.poolStore)) return [];
  try {
    return existingStore(repository).read().state.slots;
  } catch (error) {
    if (error instanceof GraftworkError) return [];
    throw error;
  }
}
