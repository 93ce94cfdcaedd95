import { installedStamp } from "../checkout/index.ts";
import { GraftworkError } from "../domain/index.ts";
import { below, untrackedPaths } from "../git/index.ts";
import { rmSync } from "../state/index.ts";
import type { PoolContext } from "./context.ts";
import { copiedPaths, copyConfigured, noteCopies } from "./copy-files.ts";
import { sizeOnDisk } from "./disk-space.ts";
import { keptStamp } from "./kept-folders.ts";
import { type SlotRecord, treeOfSlot } from "./pool-state.ts";
import { setUp, setUpKey } from "./set-up.ts";

type Hydrated = Pick<SlotRecord, "dependencies" | "lastError" | "sizeBytes">;

/**
 * Brings what a slot was set up from to what the configuration and its lockfile say. A failure is kept in the record
 * and said: the next acquire tries again, and refuses to hand out a slot that is not ready. `goesOn`: the slot is on a
 * branch that a task has worked on. If the install fails because of that branch (a broken lockfile, installer settings of its
 * own), its agent works without an install: a failure would block the whole run, and only the agent can repair the branch.
 */
export async function hydrate(context: PoolContext, slot: SlotRecord, { goesOn = false } = {}): Promise<Hydrated> {
  const { settings } = context;
  const key = setUpKey(context, slot);
  if (key === null) return { dependencies: null, lastError: null };
  const known = slot.dependencies;
  if (known?.key === key && known.again !== true && known.stamp === installedStamp(slot.path))
    return { dependencies: known, lastError: null };
  const isOwn = settings.setup !== "auto";
  // Commands may need the files: a generator reads `.env`.
  if (isOwn) await copyConfigured(context, slot);
  const failure = await setUp(context, slot);
  if (failure !== null) {
    const isAgents = goesOn && failure.byWork;
    context.narrate(`${slot.id}: not set up: ${failure.text.split("\n")[0]}${isAgents ? "; its agent goes on without" : ""}`);
    return { dependencies: null, lastError: isAgents ? null : failure.text };
  }
  const again = isOwn && (await madeBySetUp(context, slot)).length > 0;
  const dependencies = { key, stamp: installedStamp(slot.path), kept: keptStamp(slot, settings.keep), ...(again ? { again } : {}) };
  return { dependencies, lastError: null, sizeBytes: sizeOnDisk(slot.path) };
}

/**
 * What the user's own commands made outside of the folders that stay. It is noted, so that nobody takes it for work
 * while it is unchanged; and since a release removes it, the commands run again for the next task.
 */
async function madeBySetUp(context: PoolContext, slot: SlotRecord): Promise<string[]> {
  const left = await untrackedBesideKept(context, slot);
  const copied = new Set(copiedPaths(context, slot, left));
  const made = left.filter((path) => !copied.has(path));
  noteCopies(context.repository, slot, made);
  return made;
}

/** Untracked paths of a slot outside of kept folders. */
async function untrackedBesideKept(context: PoolContext, slot: SlotRecord): Promise<string[]> {
  const { keep } = context.settings;
  const isKept = (path: string): boolean => keep.some((folder) => folder.startsWith(`/${path}`));
  return (await untrackedPaths(context.repository, treeOfSlot(slot))).filter((path) => !isKept(path));
}

/**
 * Takes out of a slot that is to be idle what the user's own commands made and what was copied for them; the next
 * acquire makes it again. Returns whether they ran: tracked files may be changed too.
 */
export async function tidyAfterSetUp(context: PoolContext, slot: SlotRecord): Promise<boolean> {
  if (typeof context.settings.setup === "string") return false;
  for (const path of await untrackedBesideKept(context, slot)) rmSync(below(slot.path, path, "disk"), { recursive: true, force: true });
  return true;
}

export function requireHydrated(slot: SlotRecord, hydrated: Hydrated): void {
  if (hydrated.lastError === null) return;
  throw new GraftworkError("SETUP_FAILED", {
    message: `${slot.id} could not be set up, so no work was started in it.`,
    because: hydrated.lastError,
    try: "mend the lockfile, the registry settings or the commands of `pool.setup` and try again, or set `pool.setup: none` in .claude/auto-context.yaml.",
    details: { slot: slot.id, path: slot.path },
  });
}
