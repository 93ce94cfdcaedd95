import { count, EXIT, type ExitCode, GraftworkError, type Plan } from "../domain/index.ts";
import {
  commitsBetween,
  currentBranch,
  isAncestor,
  isIntegrated,
  type Oid,
  type Repository,
  readRef,
  readRefs,
  requireBranch,
  squashedCommits,
  unsafePathIn,
} from "../git/index.ts";
import { type Candidate, type MergeContext, type Ordered, orderCandidates } from "../merge/index.ts";
import { dependentsOf, mayLand } from "../plan/index.ts";
import { existingStore, type PoolContext, poolStatus, type SlotRow } from "../pool/index.ts";
import { isAvailable } from "../session/index.ts";
import { liveRun } from "../state/index.ts";
import { listRuns } from "./run-folder.ts";
import { type Taken, takenOffBy } from "./taken-off.ts";

/**
 * Why a branch is not merged, on which task it waits if that is why, which live run is still at work on it, and the exit
 * code that goes with it.
 */
export type LeftOut = { task: string; branch: string; reason: string; waitsFor: readonly string[]; run: string | null; exit: ExitCode };

/** The branches that a merge by hand is about. */
export type Offered = {
  candidates: readonly Candidate[];
  /** Branches that are in the target before, so that nothing is done about them. */
  already: readonly string[];
  left: readonly LeftOut[];
  plan: Plan | null;
  /** Tasks of the slots' run that the target holds already. */
  earlier: readonly string[];
};

/** The target branch, named or else the one checked out, and where it is. Throws REF_UNKNOWN. */
export async function targetOf({ repository }: PoolContext, into: string | null): Promise<{ target: string; base: Oid }> {
  const target = into ?? (await currentBranch(repository, repository.root));
  if (target !== null) return { target, base: await requireBranch(repository, target) };
  throw new GraftworkError("REF_UNKNOWN", {
    message: "There is no target branch.",
    because: "HEAD is detached and none was named.",
    try: "name it: `pool-manager merge main`, `graftwork conflicts list --into main`.",
  });
}

export type OfferedOf = {
  given: Plan | null;
  only: readonly string[];
  target: string;
  base: Oid;
  strategy: MergeContext["strategy"];
};

/**
 * Branches of busy slots that can be merged as they are, in slot order; the others with the reason. What they depend on
 * is in the plan given, else in that of the run that slots belong to. `only` names tasks or slots; none means all. `base`:
 * the target's commit, `strategy`: how they would get there.
 * Throws POOL_MISSING, SLOT_UNKNOWN.
 */
export async function offeredBranches(context: PoolContext, { given, only, target, base, strategy }: OfferedOf): Promise<Offered> {
  const candidates: Candidate[] = [];
  const already: string[] = [];
  const passedOver: { task: string }[] = [];
  const left: LeftOut[] = [];
  const { slots } = await poolStatus(context);
  const live = liveRun(context.repository)?.run;
  const unknown = only.find((name) => !slots.some(({ id, lease }) => lease !== null && (id === name || lease.task === name)));
  if (unknown !== undefined) throw noSuchTask(unknown);
  for (const slot of slots) {
    const { id, status, lease, unsaved } = slot;
    if (status !== "busy" || lease === null) continue;
    const { task, branch } = lease;
    if (only.length > 0 && !only.includes(task) && !only.includes(id)) {
      passedOver.push({ task });
      continue;
    }
    const refuse = (reason: string, run: string | null = null): unknown =>
      left.push({ task, branch, reason, waitsFor: [], run, exit: EXIT.refused });
    const commit = await readRef(context.repository, `refs/heads/${branch}`);
    if (isAtWork(slot, live))
      refuse(`run ${lease.run} is at work on it: wait for it (\`graftwork status\`), or end it with \`graftwork stop\``, lease.run);
    else if (commit === undefined) refuse("the branch is gone");
    else if ((unsaved ?? 0) > 0) refuse(`${id} has unsaved work in ${count(unsaved ?? 0, "file")}: commit it first`);
    else if (commit === lease.base) refuse("nothing was committed on it");
    else {
      const one = { task, title: task, branch, commit, dependsOn: [], base: await openFrom(context.repository, lease.base, commit, base) };
      const stands = await howItStands(context.repository, { work: { base: one.base, tip: commit }, target, at: base }, strategy);
      if (stands === "in") already.push(branch);
      else if (stands === "open") candidates.push(one);
      else refuse(stands.why);
    }
  }
  const runs = new Set(slots.map(({ lease }) => lease?.run));
  const ofRun = listRuns(context.repository).find(({ run }) => runs.has(run));
  const plan = given ?? ofRun?.record.plan ?? null;
  if (plan === null) return { candidates, already, left, plan, earlier: [] };
  const isOffered = (id: string): boolean => candidates.some(({ task }) => task === id);
  const known = [...(ofRun?.facts.tasks.keys() ?? [])];
  const earlier = ofRun === undefined ? [] : known.filter((id) => isAvailable(ofRun.facts, id) && !isOffered(id));
  const gone = await unmergedTasks(
    context,
    { target, at: base },
    ({ run, task }) => runs.has(run) && !slots.some(({ lease }) => lease?.task === task),
  );
  const open = given === null ? known.filter((id) => !isOffered(id) && !earlier.includes(id)).map((task) => ({ task })) : [];
  const out = [...left, ...passedOver, ...gone, ...open].filter(({ task }) => !already.includes(branchOf(slots, task)));
  const ordered = planned(candidates, out, plan);
  const landable = mayLand(
    { tasks: ordered.map(({ task, dependsOn }) => ({ id: task, dependsOn })) },
    { approved: new Set(ordered.map(({ task }) => task)), available: new Set() },
  );
  const held = ordered.flatMap((one): LeftOut[] => {
    const missing = one.dependsOn.find((id) => !landable.includes(id));
    return landable.includes(one.task) ? [] : [heldBack(one, missing ?? "another task")];
  });
  return { candidates: ordered.filter(({ task }) => landable.includes(task)), already, left: [...left, ...held], plan, earlier };
}

function branchOf(slots: readonly SlotRow[], task: string): string {
  return slots.find(({ lease }) => lease?.task === task)?.lease?.branch ?? "";
}

/** Where the work begins that is not in the target: behind what was squashed of the branch before, else at its base. */
async function openFrom(repository: Repository, begun: Oid, commit: Oid, target: Oid): Promise<Oid> {
  const squashed = await squashedCommits(repository, [begun], [target]);
  if (squashed.length === 0) return begun;
  const own = new Set(await commitsBetween(repository, [begun], commit));
  const held = squashed.find((one) => own.has(one) && one !== commit);
  return held === undefined || (await isAncestor(repository, held, target)) ? begun : held;
}

/** Tells whether work is in the target, also by other commits, is open, or cannot be merged. */
async function howItStands(
  repository: Repository,
  taken: Taken,
  strategy: MergeContext["strategy"],
): Promise<"in" | "open" | { why: string }> {
  const { work, at } = taken;
  const unsafe = await unsafePathIn(repository, work.base, work.tip);
  if (unsafe !== undefined) return { why: unsafe };
  if (work.base === at && work.tip !== at) return "open";
  const isIn = strategy === "merge" ? await isAncestor(repository, work.tip, at) : await isIntegrated(repository, work, at);
  const offBy = (await takenOffBy(repository, taken, isIn))?.slice(0, 12);
  if (offBy !== undefined)
    return { why: `the target had work of it, and ${offBy} took that off: \`git revert ${offBy}\` there brings it back` };
  return isIn ? "in" : "open";
}

/** Its agent may be halfway, and the run lands the work itself: true also where another process has taken the run over. */
function isAtWork({ lease, ownerAlive }: SlotRow, live: string | undefined): boolean {
  return lease?.run === live || (ownerAlive !== null && ownerAlive !== "dead");
}

/** Tasks whose branch is there, of a slot that was given back, and not in the target. */
async function unmergedTasks(
  { repository, settings }: PoolContext,
  onto: Omit<Taken, "work">,
  isMeant: (of: { run: string; task: string }) => boolean,
): Promise<{ task: string }[]> {
  const { branches } = existingStore(repository).read().state;
  const refs = await readRefs(repository, `refs/heads/${settings.branchPrefix}/`);
  const found: { task: string }[] = [];
  for (const [branch, record] of Object.entries(branches)) {
    const tip = refs.get(`refs/heads/${branch}`);
    if (tip === undefined || !isMeant(record)) continue;
    const stands = await howItStands(repository, { ...onto, work: { base: record.base, tip } }, "squash");
    if (stands !== "in") found.push({ task: record.task });
  }
  return found;
}

/** A branch that depends on one that is not merged. */
export function heldBack({ task, branch }: { task: string; branch: string }, missing: string): LeftOut {
  return { task, branch, reason: `it depends on ${missing}, which is not merged`, waitsFor: [missing], run: null, exit: EXIT.refused };
}

/** In plan order, each depending on those of all these that its task waits for, at any distance. */
function planned(candidates: readonly Candidate[], out: readonly { task: string }[], plan: Plan): Candidate[] {
  const place = new Map(plan.tasks.map((task, index) => [task.id, index]));
  const placeOf = ({ task }: Candidate): number => place.get(task) ?? plan.tasks.length;
  const behind = [...candidates, ...out].map(({ task }) => ({ task, dependents: dependentsOf(plan, task) }));
  return candidates
    .map((one) => ({
      ...one,
      title: plan.tasks.find(({ id }) => id === one.task)?.title ?? one.title,
      dependsOn: behind.filter(({ dependents }) => dependents.includes(one.task)).map(({ task }) => task),
    }))
    .toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** Without a plan branches are merged in slot order, as they always were; with one, in the order of a run's landing. */
export async function handOrder(
  context: PoolContext,
  { target, base }: { target: string; base: Oid },
  { candidates, plan }: Offered,
): Promise<Ordered> {
  const ordered = await orderCandidates({ ...context, target }, base, candidates);
  return plan === null ? { ...ordered, order: [...candidates] } : ordered;
}

function noSuchTask(name: string): GraftworkError {
  return new GraftworkError("SLOT_UNKNOWN", {
    message: `${JSON.stringify(name)} is no task of a busy slot, and no busy slot.`,
    because: "only branches of busy slots are merged by hand.",
    try: "`pool-manager status` lists slots and tasks.",
  });
}
