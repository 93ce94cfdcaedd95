import { realpathSync } from "node:fs";
import { sep } from "node:path";
import type { Repository } from "../git/index.ts";
import { storeExists } from "../state/index.ts";
import { existingStore } from "./pool-state.ts";

/** The lease that a program works for. `isOver`: the slot is somebody else's by now, or nobody's. */
export type CallerLease = {
  slot: string;
  task: string;
  isOver: boolean;
  /** A run's agent holds it, and no session of a client. */
  isOfRun: boolean;
};

/**
 * Returns the lease that a caller works for: by `marker`, the value of `GRAFTWORK_LEASE` that it was started with, or by
 * the folder that it stands in. Leases of other repositories do not count.
 */
export function leaseOfCaller(
  repository: Repository,
  { cwd, marker }: { cwd: string; marker: string | undefined },
): CallerLease | undefined {
  if (!storeExists(repository.layout.poolStore)) return undefined;
  const folder = realpathSync(cwd);
  for (const { id, path, lease } of existingStore(repository).read().state.slots) {
    const isMarked = marker?.startsWith(`${path}#`) === true;
    const standsIn = lease !== null && (folder === path || folder.startsWith(`${path}${sep}`));
    if (isMarked || standsIn)
      return {
        slot: id,
        task: lease?.task ?? "",
        isOver: isMarked && marker !== (lease === null ? undefined : `${path}#${lease.token}`),
        isOfRun: lease?.owner.kind === "process",
      };
  }
  return undefined;
}
