import { existsSync, lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import picomatch from "picomatch";
import { dependencyKey, installDependencies, installedStamp } from "../checkout/index.ts";
import { count, GraftworkError, type SlotStatus, slotId } from "../domain/index.ts";
import { addWorktree, adminNameOf, forgetWorktree, listWorktrees, lstatBelow, type Oid, removeWorktree, resetSlot } from "../git/index.ts";
import { cpSync, mkdirSync, rmSync } from "../state/index.ts";
import { identityOf } from "../subprocess/index.ts";
import { folderIdentity, INSTALL_TIMEOUT_MS, KEPT, operationName, type PoolContext } from "./context.ts";
import { type PoolStore, type SlotRecord, treeOfSlot, withoutSlot, withSlot } from "./pool-state.ts";
import { moveToTrash, rescueAdmin } from "./rescue.ts";

export function newSlot(n: number, dir: string, status: SlotStatus, operation: string): SlotRecord {
  const id = slotId(n);
  return {
    id,
    path: join(dir, id),
    admin: null,
    folder: null,
    status,
    head: null,
    lease: null,
    worker: identityOf(process.pid),
    dependencies: null,
    lastError: null,
    operation,
  };
}

/** Adds `count` slots to the pool, all at once in the state, then on disk side by side. Returns those that were made. */
export async function addSlots(context: PoolContext, store: PoolStore, target: number, base: Oid): Promise<SlotRecord[]> {
  const operation = operationName("grow");
  const { state } = await store.commit(operation, (before) => {
    const used = new Set(before.slots.map((slot) => slot.id));
    const added: SlotRecord[] = [];
    for (let n = 1; before.slots.length + added.length < target; n++)
      if (!used.has(slotId(n))) added.push(newSlot(n, before.dir, "preparing", operation));
    const slots = [...before.slots, ...added].sort((a, b) => Number(a.id.slice(3)) - Number(b.id.slice(3)));
    return added.length === 0 ? undefined : { ...before, slots };
  });
  const mine = state.slots.filter((slot) => slot.operation === operation && slot.admin === null);
  mkdirSync(state.dir, { recursive: true });
  const made = await Promise.allSettled(mine.map((slot) => makeSlot(context, store, slot, base)));
  const failure = made.find((one) => one.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return mine;
}

/** Makes one slot on disk from its record: registered, checked out, with its dependencies; then it is idle. */
export async function makeSlot(context: PoolContext, store: PoolStore, slot: SlotRecord, base: Oid): Promise<void> {
  const { repository } = context;
  try {
    await clearRemains(context, slot);
    const admin = await addWorktree(repository, slot.path, base, `slot of a graftwork pool; to remove it: pool-manager cleanup`);
    const made: SlotRecord = { ...slot, admin, folder: folderIdentity(slot.path) };
    await store.commit(operationName("register"), (state) => withSlot(state, slot.id, { admin: made.admin, folder: made.folder }));
    await resetSlot(repository, treeOfSlot(made), base, KEPT);
    const installed = await hydrate(context, made);
    await store.commit(operationName("made"), (state) =>
      withSlot(state, slot.id, { status: "idle", head: base, worker: null, ...installed }),
    );
  } catch (error) {
    await clearRemains(context, slot).catch(() => undefined);
    await store.commit(operationName("unmade"), (state) => withoutSlot(state, slot.id));
    throw error;
  }
}

/** What an earlier, interrupted making left under the slot's name. Files that are not ours go to the trash. */
async function clearRemains(context: PoolContext, slot: SlotRecord): Promise<void> {
  const known = (await listWorktrees(context.repository)).find((worktree) => worktree.path === slot.path);
  const there = lstatSync(slot.path, { throwIfNoEntry: false });
  // Where the pool's state was lost, an earlier pool's slot may be there, with commits that nothing else names.
  const admin = adminNameOf(context.repository, slot.path);
  if (admin !== undefined)
    await rescueAdmin(context, { id: slot.id, path: slot.path, admin }, slot.id, "found where a slot was to be made");
  if (known !== undefined && there === undefined) return forgetWorktree(context.repository, slot.path);
  if (known !== undefined && slot.admin === null && onlyGitFile(slot.path)) return removeWorktree(context.repository, slot.path);
  if (there === undefined) return;
  if (there.isDirectory() && readdirSync(slot.path).length === 0) return rmSync(slot.path, { recursive: true });
  moveToTrash(context, { id: slot.id, path: slot.path, admin: slot.id }, slot.path, "whole");
  if (known !== undefined) await forgetWorktree(context.repository, slot.path);
}

function onlyGitFile(path: string): boolean {
  return readdirSync(path).every((name) => name === ".git");
}

type Hydrated = Pick<SlotRecord, "dependencies" | "lastError">;

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
  return { dependencies: { key, stamp: installedStamp(slot.path) }, lastError: null };
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

/** Copies the configured untracked files (globs below the main worktree) into a slot. Returns their paths. */
export function copyConfigured(context: PoolContext, slot: { path: string }): string[] {
  const { root } = context.repository;
  const copied: string[] = [];
  for (const pattern of context.settings.copy) {
    for (const path of expand(root, pattern)) {
      if (!isFree(slot.path, path)) continue;
      const to = join(slot.path, path);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(root, path), to, { preserveTimestamps: true });
      copied.push(path);
    }
  }
  if (copied.length > 0) context.narrate(`copied ${count(copied.length, "file")} into the slot: ${copied.join(", ")}`);
  return copied;
}

/** Nothing is there, and no link or file on the way to it: a copy must not land outside of the slot. */
function isFree(root: string, path: string): boolean {
  const parents = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  return parents.every((one) => lstatBelow(root, one)?.isDirectory() ?? true) && lstatBelow(root, path) === undefined;
}

/** Files below `root` that match a glob; looks only into the folder that the glob's fixed part names. */
function expand(root: string, pattern: string): string[] {
  if (pattern.startsWith("/") || pattern.split("/").includes("..")) return [];
  const { base, isGlob } = picomatch.scan(pattern);
  if (!isGlob) return isFile(join(root, pattern)) ? [pattern] : [];
  const matches = picomatch(pattern, { dot: true });
  const deep = pattern.includes("**");
  const found: string[] = [];
  const look = (folder: string): void => {
    for (const entry of existsSync(join(root, folder)) ? readdirSync(join(root, folder), { withFileTypes: true }) : []) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile() && matches(path)) found.push(path);
      if (
        entry.isDirectory() &&
        (deep || pattern.split("/").length > path.split("/").length) &&
        entry.name !== ".git" &&
        entry.name !== "node_modules"
      )
        look(path);
    }
  };
  look(base === "." ? "" : base);
  return found;
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
