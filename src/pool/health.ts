import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { GraftworkError, type Lease, slotNumber } from "../domain/index.ts";
import { isOnBranch, listWorktrees, otherRepositoryAt, readRef, readRefs, type Worktree } from "../git/index.ts";
import { openStore, replaceFile, storeExists } from "../state/index.ts";
import { findProcesses, livenessOf } from "../subprocess/index.ts";
import { operationName, type PoolContext } from "./context.ts";
import { examineSlot, type SlotFindingKind } from "./examine-slot.ts";
import { standingOf } from "./lease-time.ts";
import { makeAnew } from "./make-anew.ts";
import { removeRemains } from "./make-slot.ts";
import { existingStore, type PoolState, type PoolStore, type SlotRecord, treeOfSlot } from "./pool-state.ts";
import { clearSlot, markersOf, recoverSlots, takeOver, withoutBranch } from "./recover.ts";
import { type SurroundingKind, surroundings } from "./surroundings.ts";
import { moveWhole } from "./trash.ts";
import { writePoolView } from "./view.ts";

export type FindingKind = "state-damaged" | SlotFindingKind | "orphan-folder" | "orphan-worktree" | "orphan-process" | SurroundingKind;

export type Finding = {
  kind: FindingKind;
  /** The slot, folder or branch it is about. */
  subject: string;
  text: string;
  repair: string;
  repaired: boolean;
};

export type Health = {
  ok: boolean;
  slots: number /** About what all slots take on the disk: most are counted as the largest that was. */;
  sizeBytes: number;
  findings: readonly Finding[];
};

/**
 * Compares state, git, folders and processes. With `fix`, repairs what can be repaired without losing work: every
 * slot that is cleared or made anew is rescued first.
 */
export async function poolHealth(context: PoolContext, request: { fix: boolean }): Promise<Health> {
  const findings: Finding[] = [];
  const store = existingStore(context.repository);
  if (!(await readable(context, store, request.fix, findings)))
    return { ok: findings.every((one) => one.repaired), slots: 0, sizeBytes: 0, findings };
  examineLiveStore(context, request.fix, findings);
  if (request.fix) await recoverSlots(context, store);
  const worktrees = await listWorktrees(context.repository);
  const branches = new Set((await readRefs(context.repository, "refs/heads/")).keys());
  for (const slot of store.read().state.slots) {
    const isStill = (): boolean => store.read().state.slots.some((now) => now.id === slot.id && now.operation === slot.operation);
    const isOver = (lease: Lease): boolean => standingOf(context, slot, lease) === "over";
    for (const finding of examineSlot(slot, worktrees, branches, isOver)) {
      // Worktrees and branches were listed a moment ago: what has gone on since is no finding.
      if (!isStill() || (finding.kind === "wrong-branch" && isOnItsBranch(context, slot))) continue;
      if (finding.kind === "branch-missing" && (await readRef(context.repository, `refs/heads/${slot.lease?.branch}`)) !== undefined)
        continue;
      findings.push({ ...finding, repaired: request.fix && (await repairSlot(context, store, slot, finding.kind)) });
    }
  }
  await examineOrphans(context, store, worktrees, branches, request.fix, findings);
  for (const { fix, ...found } of await surroundings(context, store))
    findings.push({ ...found, repaired: request.fix && fix !== undefined && (await succeeds(fix)) });
  if (request.fix) writePoolView(context.repository, store);
  const { slots } = store.read().state;
  const largest = Math.max(0, ...slots.map((slot) => slot.sizeBytes ?? 0));
  const sizeBytes = slots.reduce((sum, slot) => sum + (slot.sizeBytes ?? largest), 0);
  return { ok: findings.every((finding) => finding.repaired), slots: slots.length, sizeBytes, findings };
}

async function succeeds(fix: () => Promise<void> | void): Promise<boolean> {
  try {
    await fix();
    return true;
  } catch {
    return false;
  }
}

function isOnItsBranch({ repository }: PoolContext, slot: SlotRecord): boolean {
  return slot.lease !== null && isOnBranch(repository, treeOfSlot(slot), slot.lease.branch);
}

async function repairSlot(context: PoolContext, store: PoolStore, slot: SlotRecord, kind: FindingKind): Promise<boolean> {
  if (kind === "wrong-branch") return false;
  if (kind === "slot-not-locked" && slot.status !== "idle") return false;
  // Its owner is at work and may put that right itself.
  if (kind === "branch-missing" && slot.lease?.owner.kind === "process" && livenessOf(slot.lease.owner.process) === "alive") return false;
  const taken = await takeOver(store, slot);
  if (taken === undefined) return false;
  try {
    if (kind === "owner-gone" || kind === "quarantined" || kind === "branch-missing" || kind === "half-done")
      await clearSlot(context, store, taken, { reason: `health: ${kind}` });
    else await makeAnew(context, store, taken);
    return true;
  } catch {
    return false;
  }
}

/** Who owns the live run is kept in a store of its own, which a power cut may damage as well. */
function examineLiveStore(context: PoolContext, fix: boolean, findings: Finding[]): void {
  const dir = context.repository.layout.liveStore;
  if (!storeExists(dir)) return;
  const store = openStore<unknown>({ dir, schema: Number.MAX_SAFE_INTEGER, initial: null, parse: (value) => value });
  try {
    store.read();
  } catch (error) {
    if (!(error instanceof GraftworkError) || error.code !== "STATE_DAMAGED") throw error;
    const repaired = fix && store.setAsideDamaged() !== undefined;
    const repair = "put the damaged record aside and go on with the one before";
    findings.push({ kind: "state-damaged", subject: dir, text: error.because, repair, repaired });
  }
}

async function readable(context: PoolContext, store: PoolStore, fix: boolean, findings: Finding[]): Promise<boolean> {
  try {
    store.read();
    return true;
  } catch (error) {
    if (!(error instanceof GraftworkError) || error.code !== "STATE_DAMAGED") throw error;
    const { layout } = context.repository;
    const aside = fix ? setAllAside(context, store) : undefined;
    const isLeft = storeExists(layout.poolStore);
    findings.push({
      kind: "state-damaged",
      subject: layout.poolStore,
      text: error.because,
      repair: isLeft
        ? "put the damaged record aside, go on with the one before, look at every slot"
        : "put the damaged records aside; none is left, so `pool-manager init` makes the pool anew, and keeps in its trash what is in the slots",
      repaired: aside !== undefined,
    });
    if (aside === undefined) return false;
    // Nobody knows which tokens were given: time is ahead of all of them.
    if (isLeft) await distrust(store);
    else replaceFile(layout.nextToken, `${Math.floor(context.now().getTime() / 1000)}\n`);
    return isLeft;
  }
}

/** A power cut may have damaged several: all up to the newest sound one. */
function setAllAside(context: PoolContext, store: PoolStore): string | undefined {
  const aside = store.setAsideDamaged();
  if (aside === undefined || !storeExists(context.repository.layout.poolStore)) return aside;
  return setAllAside(context, store) ?? aside;
}

/** The record before a damaged one may be old: an idle slot may be leased by now. All are looked at before use. */
async function distrust(store: PoolStore): Promise<void> {
  await store.commit(operationName("distrust"), (state: PoolState) => ({
    ...state,
    nextToken: state.nextToken + 1_000,
    slots: state.slots.map((slot) =>
      slot.status === "idle"
        ? { ...slot, status: "quarantined", lastError: "its record was damaged; what is in it is saved before it is used again" }
        : slot,
    ),
  }));
}

async function examineOrphans(
  context: PoolContext,
  store: PoolStore,
  worktrees: readonly Worktree[],
  branches: ReadonlySet<string>,
  fix: boolean,
  findings: Finding[],
): Promise<void> {
  const { state } = store.read();
  const known = new Set(state.slots.map((slot) => slot.path));
  for (const worktree of worktrees) {
    if (!worktree.path.startsWith(`${state.dir}/`) || known.has(worktree.path)) continue;
    const gone = !existsSync(worktree.path);
    // Named like a slot, it is what a making that failed could not take back; a person's own has another name.
    const isOurs = slotNumber(basename(worktree.path)) !== undefined;
    const repaired = fix && (gone || isOurs) && (await succeeds(() => removeRemains(context, worktree.path)));
    findings.push({
      kind: "orphan-worktree",
      subject: worktree.path,
      text: `${worktree.path} is a worktree in the pool's folder that no slot owns`,
      repair: gone
        ? "forget it (its folder is gone)"
        : isOurs
          ? "forget it; what is in it goes to the trash"
          : `look into it, then \`git worktree remove ${worktree.path}\``,
      repaired,
    });
  }
  for (const name of existsSync(state.dir) ? readdirSync(state.dir) : []) {
    const path = join(state.dir, name);
    if (slotNumber(name) === undefined || known.has(path) || worktrees.some((worktree) => worktree.path === path)) continue;
    if (otherRepositoryAt(context.repository, path) !== undefined) continue;
    if (fix) moveWhole(context, { id: name, path });
    findings.push({
      kind: "orphan-folder",
      subject: path,
      text: `${path} is a folder that no slot owns`,
      repair: "move it to the trash",
      repaired: fix,
    });
  }
  for (const branch of Object.keys(state.branches)) {
    if (branches.has(`refs/heads/${branch}`) || state.slots.some((slot) => slot.lease?.branch === branch)) continue;
    // Deleted by the user: nothing to say, the record just goes.
    if (fix && (await readRef(context.repository, `refs/heads/${branch}`)) === undefined)
      // No acquire may have begun since: it would have made the branch.
      await store.commit(operationName("forget"), (before) =>
        before.nextToken === state.nextToken ? withoutBranch(before, branch) : undefined,
      );
  }
  for (const slot of state.slots.filter((one) => one.status === "idle")) {
    const pids = findProcesses({ markers: markersOf(slot), folders: [] });
    if (pids.length > 0)
      findings.push({
        kind: "orphan-process",
        subject: slot.id,
        text: `${slot.id} is idle, but process ${pids.join(", ")} of an earlier lease still runs`,
        repair: `kill ${pids.join(" ")}`,
        repaired: false,
      });
  }
}
