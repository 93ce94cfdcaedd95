import { existsSync, lstatSync } from "node:fs";
import { count, GraftworkError } from "../domain/index.ts";
import { configKeys, listPaths, type Oid, type Repository, readFileAt, removeWorktree, requireCommit } from "../git/index.ts";
import { privateFolder, removeStore, replaceFile, rmSync } from "../state/index.ts";
import { livenessOf } from "../subprocess/index.ts";
import { type PoolContext, poolFolder } from "./context.ts";
import { guardSettings } from "./guard.ts";
import { holderText, rescuedText } from "./lease-text.ts";
import { addSlots } from "./make-slot.ts";
import { deleteMergedBranches } from "./merged-branches.ts";
import { existingStore, openPoolStore, type PoolStore, type SlotRecord, treeOfSlot } from "./pool-state.ts";
import { clearSlot, dropSlot, forgetSlot, recoverSlots, takeOver } from "./recover.ts";
import { rescueSlot } from "./rescue.ts";
import { excludeOwnFiles, linkPool, poolViewPath, writePoolView } from "./view.ts";

const LARGEST = 256;

/** Throws SIZE_INVALID unless `text` is a whole number of slots. */
export function parseSize(text: string): number {
  const n = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (n >= 1 && n <= LARGEST) return n;
  throw new GraftworkError("SIZE_INVALID", {
    message: `${JSON.stringify(text.slice(0, 40))} is not a pool size.`,
    because: `a pool has 1 to ${LARGEST} slots.`,
    try: "`pool-manager init 8`.",
  });
}

export type Initialized = { size: number; idle: number; made: readonly string[]; removed: readonly string[] };

/** Makes a pool of `size` slots, or brings an existing one to that size. Throws LEASE_HELD where a busy slot would go. */
export async function initPool(context: PoolContext, request: { size: number; base?: string }): Promise<Initialized> {
  const { repository } = context;
  const base = await requireCommit(repository, request.base ?? "HEAD");
  await requireSupported(repository, base);
  const store = await ensureStore(context);
  await guardSettings(context, store.read().state);
  await recoverSlots(context, store);
  const before = store.read().state.slots;
  const surplus = [...before].reverse().slice(0, Math.max(0, before.length - request.size));
  const busy = surplus.filter((slot) => slot.status !== "idle");
  if (busy.length > 0) throw shrinkRefused(context, busy, request.size);
  for (const slot of surplus) await removeSlot(context, store, slot, "pool made smaller");
  const made = await addSlots(context, store, request.size, base);
  writePoolView(repository, store);
  const { slots } = store.read().state;
  return {
    size: slots.length,
    idle: slots.filter((slot) => slot.status === "idle").length,
    made: made.map((slot) => slot.id),
    removed: surplus.map((slot) => slot.id),
  };
}

/** Sees to it that `wanted` slots are idle or held by the caller's own run; makes what is missing. */
export async function ensureSlots(context: PoolContext, wanted: number, base: Oid): Promise<void> {
  await requireSupported(context.repository, base);
  const store = await ensureStore(context);
  await recoverSlots(context, store);
  await guardSettings(context, store.read().state);
  const { slots } = store.read().state;
  const usable = slots.filter((slot) => slot.status === "idle" || (slot.status === "busy" && slot.lease?.run === context.run)).length;
  if (usable < wanted) await addSlots(context, store, Math.min(LARGEST, slots.length + wanted - usable), base);
  writePoolView(context.repository, store);
}

async function ensureStore(context: PoolContext): Promise<PoolStore> {
  const { repository, settings } = context;
  const dir = poolFolder(repository, settings);
  let real: string;
  try {
    // git tells worktrees by their real path, so that is what slots are known by.
    real = privateFolder(dir);
  } catch (error) {
    if (error instanceof GraftworkError) throw error;
    throw new GraftworkError("STATE_UNWRITABLE", {
      message: `The folder for the slots cannot be made: ${dir}.`,
      because: error instanceof Error ? error.message : String(error),
      try: "set `pool.dir` in .claude/auto-context.yaml (or POOL_DIR) to a folder that can be written.",
    });
  }
  excludeOwnFiles(repository);
  linkPool(repository, real);
  return openPoolStore(repository, real, context.now());
}

/** Repository extensions that our own git directory mirrors or that change nothing for it (review-core rule 13). */
const KNOWN_EXTENSIONS = new Set(["objectformat", "worktreeconfig", "noop", "preciousobjects"]);

/** Refuses kinds of repositories that slots cannot hold without losing something. Throws REPOSITORY_UNSUPPORTED. */
async function requireSupported(repository: Repository, base: Oid): Promise<void> {
  if ((await listPaths(repository, base, [".gitmodules"])).length > 0) {
    const text = (await readFileAt(repository, base, ".gitmodules"))?.toString("utf8") ?? "";
    if (/^\s*\[submodule /m.test(text))
      throw unsupported("it has submodules, and commits made in a slot's submodules would not survive the slot.");
  }
  const keys = await configKeys(repository);
  if (keys.some((key) => /^remote\..*\.(?:promisor|partialclonefilter)$/.test(key)))
    throw unsupported("it is a partial clone: objects may be missing when they are needed.");
  const unknown = keys.find((key) => key.startsWith("extensions.") && !KNOWN_EXTENSIONS.has(key.slice("extensions.".length)));
  if (unknown !== undefined)
    throw unsupported(`it uses ${unknown}, which changes how a repository is stored in a way that graftwork does not know.`);
  if (repository.root.includes("\n") || repository.root.includes("|"))
    throw unsupported("its path holds a character that would break the line `wt-1|path|branch`.");
}

function unsupported(because: string): GraftworkError {
  return new GraftworkError("REPOSITORY_UNSUPPORTED", {
    message: "This repository cannot have a pool.",
    because,
    try: "use a full clone without submodules; support is planned.",
  });
}

function shrinkRefused(context: PoolContext, busy: readonly SlotRecord[], size: number): GraftworkError {
  return new GraftworkError("LEASE_HELD", {
    message: `The pool is not made smaller: ${count(busy.length, "slot")} above ${size} ${busy.length === 1 ? "is" : "are"} in use.`,
    because: busy.map((slot) => holderText(slot, context.now())).join("\n  "),
    try: `release ${busy.map((slot) => slot.id).join(", ")} first.`,
    details: { busy: busy.map((slot) => slot.id) },
  });
}

async function removeSlot(context: PoolContext, store: PoolStore, seen: SlotRecord, reason: string): Promise<void> {
  const slot = await takeOver(store, seen);
  if (slot === undefined) throw takenMeanwhile(seen);
  if (slot.admin === null || !existsSync(slot.path)) return forgetSlot(context, store, slot, reason);
  // Never idle on its way out: another process would lease what is about to go.
  const cleared = await clearSlot(context, store, slot, { reason, keep: true });
  // What was put there while it was cleared was left: git would delete it.
  const tree = treeOfSlot(slot);
  const late = await rescueSlot(context, tree, { task: slot.lease?.task ?? slot.id, reason, base: slot.lease?.base ?? slot.head });
  for (const { rescue } of [cleared, late]) if (rescue !== undefined) context.narrate(rescuedText(slot, rescue));
  await removeWorktree(context.repository, slot.path);
  await dropSlot(context, store, slot);
}

function takenMeanwhile(slot: SlotRecord): GraftworkError {
  return new GraftworkError("LEASE_HELD", {
    message: `${slot.id} is not removed: another process is at work on it.`,
    because: slot.worker === null ? "it was leased a moment ago." : `process ${slot.worker.pid} is ${slot.status} it.`,
    try: "run the same command again when that is done.",
    details: { slot: slot.id },
  });
}

export type CleanedUp = { removed: readonly string[]; deletedBranches: readonly string[]; keptBranches: readonly string[] };

/**
 * Releases and removes all slots, deletes our merged branches, keeps and names the others, removes the state last.
 * Throws LEASE_HELD while a live run holds a slot (`force`: then too).
 */
export async function cleanupPool(context: PoolContext, request: { force: boolean }): Promise<CleanedUp> {
  const { repository } = context;
  const store = existingStore(repository);
  await recoverSlots(context, store);
  const { slots } = store.read().state;
  const live = slots.filter((slot) => slot.lease?.owner.kind === "process" && livenessOf(slot.lease.owner.process) !== "dead");
  if (live.length > 0 && !request.force) {
    throw new GraftworkError("LEASE_HELD", {
      message: `The pool is not removed: a live run holds ${live.map((slot) => slot.id).join(", ")}.`,
      because: live.map((slot) => holderText(slot, context.now())).join("\n  "),
      try: "`graftwork stop`, or `pool-manager cleanup --force` (all work is saved first).",
    });
  }
  for (const slot of slots) await removeSlot(context, store, slot, "cleanup");
  const branches = await deleteMergedBranches(context, store);
  const [late] = store.read().state.slots;
  if (late !== undefined) throw takenMeanwhile(late);
  const link = `${repository.root}/.claude/worktree-pool`;
  rmSync(link, { force: true });
  replaceFile(repository.layout.nextToken, `${store.read().state.nextToken}\n`);
  removeStore(repository.layout.poolStore);
  const view = poolViewPath(repository);
  if (lstatSync(view, { throwIfNoEntry: false })?.isFile() === true) rmSync(view);
  return { removed: slots.map((slot) => slot.id), ...branches };
}
