import { realpathSync } from "node:fs";
import { sep } from "node:path";
import type { Repository } from "../git/index.ts";
import { storeExists } from "../state/index.ts";
import { UNNAMED } from "./context.ts";
import { existingStore } from "./pool-state.ts";

/** The lease that a program works for. */
export type CallerLease = {
  /** The slot's id, or the caller's marker if it fits no slot of this repository. */
  slot: string;
  task: string;
  /** The slot is somebody else's by now, or nobody's. */
  isOver: boolean;
  /** A session of a client holds it, under this name; null: a run, or nobody knows. */
  session: string | null;
};

/**
 * Returns the lease that a caller works for: by `markers`, the values of `GRAFTWORK_LEASE` in its environment and in those
 * of the processes that started it, or by the folder that it stands in. A caller with a marker that
 * fits no slot here is a program too. Undefined if there is no sign of a lease.
 */
export function leaseOfCaller(
  repository: Repository | undefined,
  { cwd, markers }: { cwd: string; markers: readonly string[] },
): CallerLease | undefined {
  const isKnown = repository !== undefined && storeExists(repository.layout.poolStore);
  const folder = realpathSync(cwd);
  for (const { id, path, lease } of isKnown ? existingStore(repository).read().state.slots : []) {
    const marker = markers.find((one) => one.startsWith(`${path}#`));
    const standsIn = lease !== null && (folder === path || folder.startsWith(`${path}${sep}`));
    if (marker === undefined && !standsIn) continue;
    return {
      slot: id,
      task: lease?.task ?? "",
      isOver: marker !== undefined && marker !== (lease === null ? undefined : `${path}#${lease.token}`),
      session: lease?.owner.kind === "shell" && lease.owner.name !== UNNAMED ? lease.owner.name : null,
    };
  }
  const [unknown] = markers;
  return unknown === undefined ? undefined : { slot: unknown, task: "", isOver: true, session: null };
}
