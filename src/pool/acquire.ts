import { GraftworkError, humanDuration, idKey, type Lease, type LeasedSlot, requireTaskId } from "../domain/index.ts";
import { attachSlot, createBranch, listWorktrees, type Oid, readRefs, requireCommit, resetSlot, updateRefs } from "../git/index.ts";
import { identityOf, livenessOf } from "../subprocess/index.ts";
import { KEPT, operationName, type PoolContext } from "./context.ts";
import { copyConfigured } from "./copy-files.ts";
import { hydrate, requireHydrated } from "./hydrate.ts";
import { existingStore, type PoolState, type PoolStore, type SlotRecord, treeOfSlot, withSlot } from "./pool-state.ts";
import { clearSlot, isAbandoned, recoverSlots, requireConnection, requireFolder, takeOver, withoutBranch } from "./recover.ts";
import { rescueSlot } from "./rescue.ts";
import { writePoolView } from "./view.ts";

const SHELL_TTL_MS = 24 * 3_600_000;

/**
 * Leases the idle slot nearest to the wanted base to a task, on branch `<prefix>/<task>`. Asked again by the same
 * owner, or by a resumed run whose process is gone, it returns the same lease and touches nothing in the slot.
 * Throws ID_INVALID, POOL_MISSING, POOL_EXHAUSTED, LEASE_HELD, BRANCH_IN_USE, REF_UNKNOWN, SETUP_FAILED.
 */
export async function acquireSlot(context: PoolContext, request: { task: string; base?: string }): Promise<LeasedSlot> {
  const task = requireTaskId(request.task);
  const { repository } = context;
  const store = existingStore(repository);
  await recoverSlots(context, store);
  const held = await heldLease(context, store, task);
  if (held !== undefined) return held;

  const base = await requireCommit(repository, request.base ?? "HEAD");
  const branch = await chooseBranch(context, store.read().state, task);
  for (;;) {
    const taken = await reserve(context, store, { task, base: branch.tip ?? base, branch: branch.name });
    if (taken === "exhausted") {
      if (await reclaim(context, store)) continue;
      throw exhausted(context, store.read().state, task);
    }
    const { slot, lease } = taken;
    let created = false;
    try {
      const ready = await prepare(context, slot, lease, branch.tip, () => (created = true));
      await store.commit(operationName("busy"), (state) =>
        withSlot(state, slot.id, { status: "busy", worker: null, head: lease.base, ...ready }),
      );
      writePoolView(repository, store);
      return { id: slot.id, path: slot.path, lease };
    } catch (error) {
      await giveBack(context, store, slot, lease, { fresh: branch.tip === undefined, created });
      writePoolView(repository, store);
      // That slot is quarantined by now; another one may do.
      if (!(error instanceof GraftworkError) || error.code !== "SLOT_QUARANTINED") throw error;
      context.narrate(`${slot.id} cannot be used: ${error.because}`);
    }
  }
}

/** The task's live lease, where it is the caller's own or that of a dead process of the same run. */
async function heldLease(context: PoolContext, store: PoolStore, task: string): Promise<LeasedSlot | undefined> {
  const slot = store.read().state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(task) && one.status === "busy");
  if (slot?.lease === undefined || slot.lease === null) {
    const busy = store.read().state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(task));
    if (busy !== undefined) throw leaseHeld(busy, context.now());
    return undefined;
  }
  const { lease } = slot;
  const mine = lease.run === context.run && lease.owner.kind === context.owner.kind && lease.owner.name === context.owner.name;
  if (!mine || (lease.owner.kind === "process" && livenessOf(lease.owner.process) !== "dead" && !sameProcess(lease, context)))
    throw leaseHeld(slot, context.now());
  requireFolder(slot);
  if (lease.owner.kind === "shell" || sameProcess(lease, context)) return { id: slot.id, path: slot.path, lease };
  const operation = operationName("adopt");
  const { state } = await store.commit(operation, (before) => {
    const now = before.slots.find((one) => one.id === slot.id);
    if (now?.operation !== slot.operation || now.lease === null) return undefined;
    const next: Lease = { ...now.lease, owner: context.owner, token: before.nextToken };
    return { ...withSlot(before, slot.id, { lease: next, operation }), nextToken: before.nextToken + 1 };
  });
  const adopted = state.slots.find((one) => one.operation === operation)?.lease;
  if (adopted === undefined || adopted === null) throw leaseHeld(slot, context.now());
  writePoolView(context.repository, store);
  return { id: slot.id, path: slot.path, lease: adopted };
}

function sameProcess(lease: Lease, context: PoolContext): boolean {
  return (
    lease.owner.kind === "process" &&
    context.owner.kind === "process" &&
    lease.owner.process.pid === context.owner.process.pid &&
    lease.owner.process.startTime === context.owner.process.startTime
  );
}

/**
 * The branch for a task: its own of this run goes on where it stands; a name taken by another run or by hand is
 * left alone and the next free one is used.
 */
async function chooseBranch(context: PoolContext, state: PoolState, task: string): Promise<{ name: string; tip: Oid | undefined }> {
  const { repository, settings, narrate } = context;
  const prefix = settings.branchPrefix;
  const refs = await readRefs(repository, `refs/heads/${prefix}`);
  if (refs.has(`refs/heads/${prefix}`)) throw prefixTaken(prefix);
  const taken = new Map([...refs].map(([ref, oid]) => [ref.slice("refs/heads/".length).toLowerCase(), oid]));
  for (let n = 1; ; n++) {
    const name = `${prefix}/${task}${n === 1 ? "" : `-${n}`}`;
    const tip = taken.get(name.toLowerCase());
    if (tip === undefined) {
      if (n > 1) narrate(`branch ${prefix}/${task} exists from elsewhere and is left alone; this task works on ${name}`);
      return { name, tip: undefined };
    }
    const record = state.branches[name];
    if (record === undefined || record.run !== context.run || idKey(record.task) !== idKey(task)) continue;
    await requireFree(context, name);
    narrate(`${name} exists: ${task} goes on where it stands`);
    return { name, tip };
  }
}

async function requireFree(context: PoolContext, branch: string): Promise<void> {
  const holder = (await listWorktrees(context.repository)).find((worktree) => worktree.branch === `refs/heads/${branch}`);
  if (holder === undefined) return;
  throw new GraftworkError("BRANCH_IN_USE", {
    message: `Branch ${branch} is checked out in ${holder.path}.`,
    because: "git lets a branch be checked out in one worktree only.",
    try: `switch that worktree to another branch (\`git -C ${JSON.stringify(holder.path)} switch --detach\`) and try again.`,
    details: { branch, path: holder.path },
  });
}

type Wanted = { task: string; base: Oid; branch: string };

async function reserve(context: PoolContext, store: PoolStore, wanted: Wanted): Promise<{ slot: SlotRecord; lease: Lease } | "exhausted"> {
  const operation = operationName("acquire");
  const { state } = await store.commit(operation, (before) => {
    const free = nearest(before, wanted.base);
    if (free === undefined || before.slots.some((slot) => slot.lease !== null && idKey(slot.lease.task) === idKey(wanted.task)))
      return undefined;
    const { now, owner, run } = context;
    const lease: Lease = {
      ...wanted,
      run,
      token: before.nextToken,
      owner,
      acquiredAt: now().toISOString(),
      expiresAt: owner.kind === "process" ? null : new Date(now().getTime() + SHELL_TTL_MS).toISOString(),
      portBase: null,
    };
    const next = withSlot(before, free.id, { status: "preparing", lease, worker: identityOf(process.pid), lastError: null, operation });
    const known = before.branches[wanted.branch];
    return {
      ...next,
      nextToken: before.nextToken + 1,
      branches: { ...next.branches, [wanted.branch]: known ?? { task: wanted.task, run, base: wanted.base } },
    };
  });
  const slot = state.slots.find((one) => one.operation === operation);
  if (slot?.lease != null) return { slot, lease: slot.lease };
  const other = state.slots.find((one) => one.lease !== null && idKey(one.lease.task) === idKey(wanted.task));
  if (other !== undefined) throw leaseHeld(other, context.now());
  return "exhausted";
}

/** The idle slot that needs least work: at the wanted commit already, else the lowest number. */
export function nearest(state: PoolState, base: Oid): SlotRecord | undefined {
  const idle = state.slots.filter((slot) => slot.status === "idle" && slot.admin !== null);
  return idle.find((slot) => slot.head === base && slot.dependencies !== null) ?? idle.find((slot) => slot.head === base) ?? idle[0];
}

/** Takes back one slot whose owner is proved gone; its work is rescued first. */
async function reclaim(context: PoolContext, store: PoolStore): Promise<boolean> {
  for (const slot of store.read().state.slots) {
    if (slot.status !== "busy" || !isAbandoned(slot, context.now())) continue;
    const taken = await takeOver(store, slot);
    if (taken === undefined) continue;
    context.narrate(`${slot.id}: ${slot.lease?.task} is taken back, its owner is gone`);
    // Where that fails it is quarantined with the reason; another one may do.
    await clearSlot(context, store, taken, { reason: "its owner is gone" }).catch(() => undefined);
    return true;
  }
  return false;
}

async function prepare(
  context: PoolContext,
  slot: SlotRecord,
  lease: Lease,
  tip: Oid | undefined,
  onCreated: () => void,
): Promise<Pick<SlotRecord, "dependencies" | "lastError">> {
  const { repository } = context;
  requireFolder(slot);
  requireConnection(context, slot);
  const tree = treeOfSlot(slot);
  // Somebody may have worked in the idle slot by hand: that is saved like any other work.
  const found = await rescueSlot(context, tree, lease.task, "found in an idle slot", slot.head === null ? [] : [slot.head]);
  if (found !== undefined) context.narrate(`${slot.id} was not clean: saved as rescue ${found.id}`);
  if (found !== undefined || slot.head === null) await resetSlot(repository, tree, lease.base, KEPT);
  if (tip === undefined) {
    const refused = await createBranch(repository, lease.branch, lease.base);
    if (refused !== undefined) throw branchTaken(lease.branch, refused);
    onCreated();
  }
  await attachSlot(repository, tree, lease.branch, lease.base, found !== undefined || slot.head === null ? lease.base : slot.head);
  const ready = await hydrate(context, slot);
  requireHydrated(slot, ready);
  await copyConfigured(context, slot);
  return ready;
}

/**
 * Undoes an acquire that failed: the slot is idle again, and a branch that was to be new is ours no more. It is
 * deleted only where this acquire made it and it is still at its base.
 */
async function giveBack(
  context: PoolContext,
  store: PoolStore,
  slot: SlotRecord,
  lease: Lease,
  branch: { fresh: boolean; created: boolean },
): Promise<void> {
  const operation = operationName("give back");
  await store.commit(operation, (state) => withSlot(state, slot.id, { status: "releasing", worker: identityOf(process.pid), operation }));
  const current = store.read().state.slots.find((one) => one.id === slot.id) ?? slot;
  // Where that fails too the slot is quarantined; the task never had it.
  await clearSlot(context, store, current, { reason: "acquire failed" }).catch(() =>
    store.commit(operationName("no lease"), (state) => withSlot(state, slot.id, { lease: null })),
  );
  if (!branch.fresh) return;
  const remove = { ref: `refs/heads/${lease.branch}`, remove: true, old: lease.base } as const;
  if (branch.created && (await updateRefs(context.repository, [remove], `undo the acquire of ${lease.task}`)) !== undefined) return;
  await store.commit(operationName("forget"), (state) =>
    state.branches[lease.branch]?.task === lease.task ? withoutBranch(state, lease.branch) : undefined,
  );
}

function leaseHeld(slot: SlotRecord, now: Date): GraftworkError {
  const { lease } = slot;
  return new GraftworkError("LEASE_HELD", {
    message: `${lease?.task ?? slot.id} already has ${slot.id}.`,
    because: lease === null ? `the slot is ${slot.status}.` : holderText(slot, now),
    try: `wait for it, or \`pool-manager release ${slot.id} --force\` (its work is saved first).`,
    details: { slot: slot.id, owner: lease?.owner.name, run: lease?.run },
  });
}

/** "task-cart has held wt-3 for 2 h 10 min (pid 4121 is gone)." */
export function holderText(slot: SlotRecord, now: Date): string {
  const { lease } = slot;
  if (lease === null) return `${slot.id} is ${slot.status}${slot.lastError === null ? "" : ` (${slot.lastError.split("\n")[0]})`}.`;
  const since = humanDuration(now.getTime() - Date.parse(lease.acquiredAt));
  const who =
    lease.owner.kind === "shell"
      ? `owner ${lease.owner.name}`
      : `pid ${lease.owner.process.pid} ${{ alive: "lives", dead: "is gone", unknown: "is on another host" }[livenessOf(lease.owner.process)]}`;
  return `${lease.task} of run ${lease.run} has held ${slot.id} for ${since} (${who}).`;
}

function exhausted(context: PoolContext, state: PoolState, task: string): GraftworkError {
  const because = state.slots.map((slot) => holderText(slot, context.now())).join("\n  ");
  return new GraftworkError("POOL_EXHAUSTED", {
    message: `No free slot for ${task}: all ${state.slots.length} slots are taken.`,
    because: because === "" ? "the pool has no slots." : because,
    try: `\`pool-manager release <slot>\` when a task is done, or \`pool-manager init ${state.slots.length + 4}\` for more slots.`,
    details: { task, slots: state.slots.map((slot) => ({ id: slot.id, status: slot.status, task: slot.lease?.task ?? null })) },
  });
}

function prefixTaken(prefix: string): GraftworkError {
  return new GraftworkError("BRANCH_IN_USE", {
    message: `A branch named ${prefix} exists, so git cannot hold branches like ${prefix}/task.`,
    because: "a ref is either a file or a folder.",
    try: "set `pool.branch_prefix` to another word in .claude/auto-context.yaml, or rename that branch.",
  });
}

function branchTaken(branch: string, refused: string): GraftworkError {
  return new GraftworkError("BRANCH_IN_USE", {
    message: `Branch ${branch} could not be made.`,
    because: refused,
    try: "run the same command again; it takes the next free name.",
  });
}
