import type { LandedTask, RunEvent } from "../domain/index.ts";
import { broughtBy, firstParentOf, integratedBy, isAncestor, type Oid, type Repository, readRef, revertsOf } from "../git/index.ts";
import { landed, targetGone } from "../merge/index.ts";
import type { RunFacts, TaskFacts } from "../session/index.ts";

export type TargetWatch = {
  repository: Repository;
  facts: () => RunFacts;
  emit: (event: RunEvent) => void;
  /** The target's commit that was looked at last; null: none yet. */
  lookedAt: { target: Oid | null };
};

/**
 * Brings the run's facts in line with the target, and returns the commit at which new work begins: the target, or the
 * verified commit that waits for it. The one place that says what the target holds: a landing that a person took, work
 * that somebody merged by hand, and landed work that the target lost. Throws REF_UNKNOWN if the target is gone.
 */
export async function lookAtTarget(watch: TargetWatch): Promise<Oid> {
  const { repository, facts, emit, lookedAt } = watch;
  const { target } = facts();
  const at = await readRef(repository, `refs/heads/${target}`);
  if (at === undefined) throw targetGone(target, facts().landings.at(-1)?.to ?? facts().base);
  if (at !== lookedAt.target) {
    await settleWaiting(watch, at);
    for (const event of [...(await takenBack(repository, facts(), at)), ...(await mergedElsewhere(repository, facts(), at))]) emit(event);
    lookedAt.target = at;
  }
  return facts().waiting?.to ?? at;
}

async function settleWaiting({ repository, facts, emit }: TargetWatch, at: Oid): Promise<void> {
  const { waiting, target } = facts();
  if (waiting === null || at === waiting.from) return;
  const { from, to, tasks } = waiting;
  if (await isAncestor(repository, to, at)) await landed({ repository, emit }, { from, to, tasks });
  else emit({ type: "landing-void", reason: `${target} moved to ${at.slice(0, 12)} meanwhile` });
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
  const events: RunEvent[] = [];
  const there: typeof done = [];
  for (const one of done) {
    if ((isAllThere && merges.has(one.landed.merge)) || (await holdsWork(repository, one.task, one.landed, at))) there.push(one);
    else events.push(backEvent(facts, one.task, at, `${facts.target} held its work and holds it no longer (it is at ${at.slice(0, 12)})`));
  }
  const works = await Promise.all(
    there.map(async ({ task, landed: { merge, branchTip } }) => {
      // The target was moved forward onto the branch, so that all its commits are the work.
      const begun = merge === branchTip ? task.base : null;
      return { from: begun ?? (await firstParentOf(repository, merge)), to: merge };
    }),
  );
  const reverts = await revertsOf(repository, works, at);
  for (const [index, by] of reverts.entries()) {
    const one = there[index];
    if (one !== undefined && by !== undefined)
      events.push(backEvent(facts, one.task, at, `its work was reverted on ${facts.target} by ${by.slice(0, 12)}`));
  }
  return events;
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

/** What would land next; of the rest it is known already that it is done again, or not at all. */
const ABOUT_TO_LAND: ReadonlySet<TaskFacts["status"]> = new Set(["ready_for_qa", "qa_approved", "qa_blocked", "merging"]);

/** Work of this run that got into the target by another hand. */
async function mergedElsewhere(repository: Repository, facts: RunFacts, at: Oid): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  const tasks: LandedTask[] = [];
  const isOurs = facts.landings.at(-1)?.to === at;
  for (const { id, status, commit, branch, base, decided } of facts.tasks.values()) {
    if (status === "done" || status === "in_progress" || commit === null || branch === null) continue;
    const branchWork = { base: base ?? commit, tip: commit };
    const changes = [{ from: branchWork.base, to: commit }];
    const isThere = await isAncestor(repository, commit, at);
    // Somebody may have squashed the work or picked it; what a person decided since then stands.
    if (!isThere && (isOurs || decided !== null || !ABOUT_TO_LAND.has(status))) continue;
    // A revert of the merge differs from one of the branch if others changed lines nearby.
    const brought = isThere ? await broughtBy(repository, branchWork, at) : undefined;
    const by = (await revertsOf(repository, [...(brought === undefined ? [] : [brought]), ...changes], at)).find(
      (one) => one !== undefined,
    );
    if (by === undefined && brought !== undefined) tasks.push({ task: id, branch, branchTip: commit, merge: brought.to });
    else if (by !== undefined && ABOUT_TO_LAND.has(status))
      events.push({
        type: "conflict",
        task: id,
        commit,
        base: at,
        paths: [],
        against: [],
        reason: `its work was merged into ${facts.target}, and reverted there by ${by.slice(0, 12)}`,
        person: true,
      });
  }
  return tasks.length === 0 ? events : [...events, { type: "merged-elsewhere", at, tasks }];
}
