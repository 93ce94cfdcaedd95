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
  /** True if nothing but its folder says so. Then the caller may be a person. */
  byFolder: boolean;
};

/** What tells whom a caller works for: its folder, and the values of two variables in its environment and its ancestors'. */
export type CallerSigns = { cwd: string; leases: readonly string[]; slotPaths: readonly string[] };

/**
 * Returns the lease that a caller works for. Its environment, that of its ancestors and a process that prepares a slot count
 * more than the folder it stands in. A `GRAFTWORK_LEASE` that fits no slot here counts too: only programs have one. Undefined
 * if nothing says that the caller works for a lease.
 */
export function leaseOfCaller(repository: Repository | undefined, { cwd, leases, slotPaths }: CallerSigns): CallerLease | undefined {
  const folder = `${realpathSync(cwd)}${sep}`;
  const slots = repository === undefined ? [] : slotsOf(repository);
  const markerOf = ({ path }: SlotRecord): string | undefined => leases.find((one) => one.startsWith(`${path}#`));
  const atWork = slots.find(
    (slot) => markerOf(slot) !== undefined || slotPaths.includes(slot.path) || (slot.worker !== null && isStartedBy(slot.worker)),
  );
  const [unknown] = leases;
  if (atWork === undefined && unknown !== undefined) return { slot: unknown, task: "", isOver: true, session: null, byFolder: false };
  const slot = atWork ?? slots.find(({ path, lease }) => lease !== null && folder.startsWith(`${path}${sep}`));
  if (slot === undefined) return undefined;
  const { id, path, lease } = slot;
  const marker = markerOf(slot);
  return {
    slot: id,
    task: lease?.task ?? "",
    isOver: marker !== undefined && marker !== (lease === null ? undefined : `${path}#${lease.token}`),
    session: lease?.owner.kind === "shell" && lease.owner.name !== UNNAMED ? lease.owner.name : null,
    byFolder: atWork === undefined,
  };
}

/** Returns the slots, or an empty list if their record is damaged: the verb that repairs it must not fail here. */
function slotsOf(repository: Repository): readonly SlotRecord[] {
  if (!storeExists(repository.layout.poolStore)) return [];
  try {
    return existingStore(repository).read().state.slots;
  } catch (error) {
    if (error instanceof GraftworkError) return [];
    throw error;
  }
}
