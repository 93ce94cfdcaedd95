import type { LandedTask, RunEvent } from "../domain/index.ts";
import {
  broughtBy,
  firstParentOf,
  integratedBy,
  isAncestor,
  lostValues,
  type Oid,
  type Repository,
  readRef,
  standingOfMerged,
} from "../git/index.ts";
import { landed, lostWork, targetGone } from "../merge/index.ts";
import type { RunFacts, TaskFacts } from "../session/index.ts";
import { candidatesOf, deliveredBy } from "./candidates.ts";
import { allTakenOffBy, takenOffBy } from "./taken-off.ts";

export type TargetWatch = {
  repository: Repository;
  facts: () => RunFacts;
  emit: (event: RunEvent) => void;
  /** What the last look depended on: see `sceneOf`. */
  lookedAt: { scene?: string };
};

/**
 * Brings the run's facts in line with the target, and returns the commit at which new work begins: the target, or the
 * verified commit that waits for it. The one place that says what the target holds: a landing that a person took, work
 * that somebody merged by hand, and landed work that the target lost. Throws REF_UNKNOWN if the target is gone.
 */
export async function lookAtTarget(watch: TargetWatch): Promise<Oid> {
  const { repository, facts, emit, lookedAt } = watch;
  const at = await requireTarget(repository, facts());
  await settleWaiting(watch, at);
  if (sceneOf(facts(), at) !== lookedAt.scene) {
    for (const event of [...(await takenBack(repository, facts(), at)), ...(await mergedElsewhere(repository, facts(), at))]) emit(event);
    lookedAt.scene = sceneOf(facts(), at);
  }
  return facts().waiting?.to ?? at;
}

/** All that a look depends on. The target's commit is not enough: a reset may bring it back to where it was before a task landed. */
function sceneOf({ tasks }: RunFacts, at: Oid): string {
  const work = [...tasks.values()].map(({ id, status, commit, landed: as }) => [id, ABOUT_TO_LAND.has(status), commit, as?.merge]);
  return JSON.stringify([at, work]);
}

/** The target's commit. Throws REF_UNKNOWN if it is gone, with `next` as the way to go on. */
export async function requireTarget(repository: Repository, { target, seen }: RunFacts, next?: string): Promise<Oid> {
  const at = await readRef(repository, `refs/heads/${target}`);
  if (at === undefined) throw targetGone(target, seen.at(-1), next);
  return at;
}

async function settleWaiting({ repository, facts, emit }: TargetWatch, at: Oid): Promise<void> {
  const { waiting, target, seen } = facts();
  if (waiting === null) return;
  const { from, to, tasks } = waiting;
  if (at !== from && (await isAncestor(repository, to, at))) return void (await landed({ repository, emit }, { from, to, tasks }));
  if (at !== from) return emit({ type: "landing-void", reason: `${target} moved to ${at.slice(0, 12)} meanwhile` });
  // The target may be back where it was, and have held a part of the work meanwhile.
  const lost = await lostValues(repository, target, at, seen);
  const candidates = candidatesOf(
    facts(),
    tasks.map(({ task }) => task),
  );
  for (const candidate of lost.length === 0 ? [] : candidates)
    if ((await lostWork({ repository, delivered: deliveredBy(facts()) }, candidate, { commit: at, lost })) !== undefined)
      return emit({ type: "landing-void", reason: `${target} held a part of it and holds it no longer` });
}

/** Landed work that the target holds no longer, or that somebody reverted there. */
async function takenBack(repository: Repository, facts: RunFacts, at: Oid): Promise<RunEvent[]> {
  const done = [...facts.tasks.values()].flatMap((task) =>
    task.status === "done" && task.landed !== null ? [{ task, landed: task.landed }] : [],
  );
  const last = facts.landings.at(-1)?.to;
  // What got there by another hand is in no landing, and may be gone while the landings are there.
  const merges = new Set(facts.landings.flatMap(({ tasks }) => tasks.map(({ merge }) => merge)));
  if (last === at && done.every(({ landed: { merge } }) => merges.has(merge))) return [];
  const isAllThere = last !== undefined && (await isAncestor(repository, last, at));
  const looks = done.map(async ({ task, landed: as }): Promise<RunEvent[]> => {
    if (!(isAllThere && merges.has(as.merge)) && !(await holdsWork(repository, task, as, at)))
      return [backEvent(facts, task, at, `${facts.target} held its work and holds it no longer (it is at ${at.slice(0, 12)})`)];
    const work = { base: task.base ?? (await firstParentOf(repository, as.merge)), tip: as.branchTip };
    const by = await allTakenOffBy(repository, await standingOfMerged(repository, work, at, as.merge));
    return by === undefined ? [] : [backEvent(facts, task, at, `its work was reverted on ${facts.target} by ${by.slice(0, 12)}`)];
  });
  return (await Promise.all(looks)).flat();
}

function backEvent({ target }: RunFacts, { id }: TaskFacts, at: Oid, why: string): RunEvent {
  const next = `\`graftwork retry ${id}\` does it again on ${target} as it is, \`graftwork resolve ${id} --skip\` leaves it out`;
  return { type: "taken-back", task: id, at, reason: `${why}: ${next}` };
}

/** True if the commit `at` holds a task's landed work: the merge itself, or the same change by another commit. */
export async function holdsWork(repository: Repository, task: TaskFacts, { merge, branchTip }: LandedTask, at: Oid): Promise<boolean> {
  if (await isAncestor(repository, merge, at)) return true;
  const base = task.base ?? merge;
  return (await integratedBy(repository, { base, tip: branchTip }, at)) !== undefined;
}

/** Work of this run that got into the target by another hand. */
async function mergedElsewhere(repository: Repository, facts: RunFacts, at: Oid): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const tasks: LandedTask[] = [];
  const isOurs = facts.landings.at(-1)?.to === at;
  for (const task of facts.tasks.values()) {
    const { id, status, decided } = task;
    const work = workOf(task);
    if (status === "done" || status === "in_progress" || work === undefined || work.base === at) continue;
    const isThere = await isAncestor(repository, work.tip, at);
    // Somebody may have squashed the work or picked it.
    if (!isThere && (isOurs || !ABOUT_TO_LAND.has(status))) continue;
    const by = await takenOffBy(repository, { work, target: facts.target, at }, isThere);
    const isDecided = by !== undefined && decided !== null && (await isAncestor(repository, by, decided.onto));
    const merge = isThere && (by === undefined || isDecided) ? ((await broughtBy(repository, work, at))?.to ?? at) : undefined;
    if (merge !== undefined) tasks.push({ task: id, branch: work.branch, branchTip: work.tip, merge });
    else if (by !== undefined && !isDecided && ABOUT_TO_LAND.has(status))
      events.push(asks(id, work.tip, at, `its work was merged into ${facts.target}, and reverted there by ${by.slice(0, 12)}`));
  }
  return tasks.length === 0 ? events : [...events, { type: "merged-elsewhere", at, tasks }];
}

/** What would land next; of the rest it is known already that it is done again, or not at all. */
const ABOUT_TO_LAND: ReadonlySet<TaskFacts["status"]> = new Set(["ready_for_qa", "qa_approved", "qa_blocked", "merging"]);

/** Returns what a task would bring into the target. Returns undefined if it has no commit on a branch yet. */
function workOf({ commit, branch, base, decided }: TaskFacts): { base: Oid; tip: Oid; branch: string } | undefined {
  if (commit === null || branch === null) return undefined;
  // A person's decision changes what it was made on.
  return { base: (decided?.commit === commit ? decided.onto : base) ?? commit, tip: commit, branch };
}

/** A person decides about work that a person took off the target. */
function asks(task: string, commit: Oid, at: Oid, reason: string): RunEvent {
  return { type: "conflict", task, commit, base: at, paths: [], against: [], reason, person: true };
}
