import * as v from "valibot";
import { GraftworkError, idKey, type Lease, type ProcessIdentity, SLOT_STATUSES, type SlotStatus } from "../domain/index.ts";
import type { Oid, Repository, SlotTree } from "../git/index.ts";
import { type GenerationStore, openStore, readText, storeExists } from "../state/index.ts";

/** What a slot was set up from. */
export type Dependencies = {
  key: string;
  /** What npm wrote then. */
  stamp: string | null;
  /** Its dependency folders as they were then; missing: not looked at. */
  kept?: string | undefined;
  /** True where the commands made files that do not stay in the slot: they are run for each task. */
  again?: boolean | undefined;
};

/** One slot as the pool knows it. */
export type SlotRecord = {
  id: string;
  path: string;
  /** Its administration folder's name; null while it is being made. */
  admin: string | null;
  /** Device and inode of the folder: a link or another folder in its place is not the slot. */
  folder: string | null;
  status: SlotStatus;
  /** The commit at which the slot was last proved clean; null: never. */
  head: Oid | null;
  lease: Lease | null;
  /** Who is preparing or releasing it. */
  worker: ProcessIdentity | null;
  /** Null: it is set up before it is handed out. */
  dependencies: Dependencies | null;
  /** What its folder took on disk when it was made; missing: not measured. */
  sizeBytes?: number | undefined;
  lastError: string | null;
  /** The last operation that changed this slot: answers an outcome that nobody saw. */
  operation: string;
};

/** A branch that is ours: made by an acquire, so ours to delete when it is merged. */
export type BranchRecord = {
  task: string;
  run: string;
  base: Oid;
  /** It was a task's once: an acquire that is undone leaves it. */
  handedOut: boolean;
};

/** A process that waits for a slot, in the order of arrival. */
export type Waiter = { id: string; task: string; process: ProcessIdentity };

export type PoolState = {
  createdAt: string;
  dir: string;
  nextToken: number;
  waiting: readonly Waiter[];
  slots: readonly SlotRecord[];
  branches: Readonly<Record<string, BranchRecord>>;
};

const identity = v.object({ pid: v.number(), startTime: v.string(), bootId: v.string(), host: v.string() });
const owner = v.variant("kind", [
  v.object({ kind: v.literal("process"), name: v.string(), process: identity }),
  v.object({ kind: v.literal("shell"), name: v.string() }),
]);
const lease = v.object({
  task: v.string(),
  run: v.string(),
  branch: v.string(),
  base: v.string(),
  token: v.number(),
  owner,
  acquiredAt: v.string(),
  expiresAt: v.nullable(v.string()),
  // Leases of before had a time of day alone: they begin to count when they are next looked at.
  ttlMs: v.optional(v.nullable(v.number()), null),
  renewed: v.optional(v.object({ bootId: v.string(), ms: v.number() }), { bootId: "", ms: 0 }),
  // Leases from before there were ports.
  portBase: v.optional(v.nullable(v.number()), null),
});
const slot = v.object({
  id: v.string(),
  path: v.string(),
  admin: v.nullable(v.string()),
  folder: v.nullable(v.string()),
  status: v.picklist(SLOT_STATUSES),
  head: v.nullable(v.string()),
  lease: v.nullable(lease),
  worker: v.nullable(identity),
  dependencies: v.nullable(
    v.object({ key: v.string(), stamp: v.nullable(v.string()), kept: v.optional(v.string()), again: v.optional(v.boolean()) }),
  ),
  sizeBytes: v.optional(v.number()),
  lastError: v.nullable(v.string()),
  operation: v.string(),
});
const poolState = v.object({
  createdAt: v.string(),
  dir: v.string(),
  nextToken: v.number(),
  waiting: v.optional(v.array(v.object({ id: v.string(), task: v.string(), process: identity })), []),
  slots: v.array(slot),
  branches: v.record(
    v.string(),
    v.object({ task: v.string(), run: v.string(), base: v.string(), handedOut: v.optional(v.boolean(), true) }),
  ),
});

const SCHEMA = 1;

export type PoolStore = GenerationStore<PoolState>;

/** Throws POOL_MISSING where the repository has no pool yet. */
export function existingStore(repository: Repository): PoolStore {
  if (storeExists(repository.layout.poolStore)) return openPoolStore(repository, "", new Date(0));
  throw poolMissing(repository, "This repository has no pool yet.");
}

function poolMissing({ root }: Repository, message: string): GraftworkError {
  return new GraftworkError("POOL_MISSING", { message, because: `nothing was found for ${root}.`, try: "`pool-manager init` makes one." });
}

/** Makes the store where it is missing. `dir` is where new slots go. */
export function openPoolStore(repository: Repository, dir: string, now: Date): PoolStore {
  const store = openStore<PoolState>({
    dir: repository.layout.poolStore,
    schema: SCHEMA,
    initial: {
      createdAt: now.toISOString(),
      dir,
      nextToken: Number(readText(repository.layout.nextToken) ?? "") || 1,
      waiting: [],
      slots: [],
      branches: {},
    },
    parse: (value) => v.parse(poolState, value) as PoolState,
    applied: (state, operation) => state.slots.some((one) => one.operation === operation),
  });
  const told = (error: unknown): unknown =>
    storeExists(repository.layout.poolStore) ? error : poolMissing(repository, "The pool was removed by another process.");
  return {
    ...store,
    read() {
      try {
        return store.read();
      } catch (error) {
        throw told(error);
      }
    },
    commit: (operation, change) => store.commit(operation, change).catch((error: unknown) => Promise.reject(told(error))),
  };
}

/** `state` with slot `id` changed; unknown ids change nothing. */
export function withSlot(state: PoolState, id: string, change: Partial<SlotRecord>): PoolState {
  return { ...state, slots: state.slots.map((one) => (one.id === id ? { ...one, ...change } : one)) };
}

export function withoutSlot(state: PoolState, id: string): PoolState {
  return { ...state, slots: state.slots.filter((one) => one.id !== id) };
}

/** The slot that a slot id or the task of a live lease names. */
export function findSlot(state: PoolState, name: string): SlotRecord | undefined {
  return (
    state.slots.find((one) => one.id === name) ?? state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(name))
  );
}

/** Like `findSlot`; throws SLOT_UNKNOWN. */
export function requireSlot(state: PoolState, name: string): SlotRecord {
  const found = findSlot(state, name);
  if (found !== undefined) return found;
  throw new GraftworkError("SLOT_UNKNOWN", {
    message: `${JSON.stringify(name.slice(0, 120))} is no slot of this pool and no task holds a lease under that name.`,
    because: state.slots.length === 0 ? "the pool has no slots." : `the slots are ${state.slots[0]?.id} to ${state.slots.at(-1)?.id}.`,
    try: "`pool-manager status` lists slots and tasks.",
  });
}

/** The slot as git sees it. Only for slots that were made. */
export function treeOfSlot(record: SlotRecord): SlotTree {
  if (record.admin === null)
    throw new GraftworkError("INTERNAL", {
      message: `Slot ${record.id} is used before it is made.`,
      because: "its record names no administration folder.",
      try: "report this.",
    });
  return { id: record.id, path: record.path, admin: record.admin };
}
