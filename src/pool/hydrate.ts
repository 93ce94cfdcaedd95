import { dependencyKey, installDependencies, installedStamp } from "../checkout/index.ts";
import { GraftworkError } from "../domain/index.ts";
import { INSTALL_TIMEOUT_MS, type PoolContext } from "./context.ts";
import { sizeOnDisk } from "./disk-space.ts";
import { keptStamp } from "./kept-folders.ts";
import type { SlotRecord } from "./pool-state.ts";

type Hydrated = Pick<SlotRecord, "dependencies" | "lastError" | "sizeBytes">;

/**
 * Brings a slot's dependencies to what its lockfile says. A failure is kept in the record and said: the next
 * acquire tries again, and refuses to hand out a slot whose dependencies are wrong.
 */
export async function hydrate(context: PoolContext, slot: SlotRecord): Promise<Hydrated> {
  const key = dependencyKey(slot.path);
  if (key === null || context.settings.setup === "none") return { dependencies: null, lastError: null };
  const stamp = installedStamp(slot.path);
  if (slot.dependencies?.key === key && slot.dependencies.stamp === stamp) return { dependencies: slot.dependencies, lastError: null };
  const result = await installDependencies({
    dir: slot.path,
    parentEnv: context.repository.parentEnv,
    markers: { GRAFTWORK_SLOT_PATH: slot.path },
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  if (result.kind === "failed") {
    context.narrate(`${slot.id}: dependencies not installed: ${result.reason}`);
    return { dependencies: null, lastError: `${result.reason}\n${result.excerpt}`.trim() };
  }
  const kept = keptStamp(slot, context.settings.keep);
  return { dependencies: { key, stamp: installedStamp(slot.path), kept }, lastError: null, sizeBytes: sizeOnDisk(slot.path) };
}

export function requireHydrated(slot: SlotRecord, hydrated: Hydrated): void {
  if (hydrated.lastError === null) return;
  throw new GraftworkError("SETUP_FAILED", {
    message: `The dependencies of ${slot.id} could not be installed, so no work was started in it.`,
    because: hydrated.lastError,
    try: "mend the lockfile or the registry settings and try again, or set `pool.setup: none` in .claude/auto-context.yaml.",
    details: { slot: slot.id, path: slot.path },
  });
}
