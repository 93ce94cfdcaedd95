import type { RunEvent } from "../domain/index.ts";
import { commitTime, type HeldValue, integratedBy, isAncestor, lostSince, type Oid, type Repository, reflogMark } from "../git/index.ts";
import type { RunFacts, TaskFacts } from "../session/index.ts";

/** The values that the target lost. `mark` tells whether its reflog is as it was then. */
export type Lost = { at: Oid; mark: string; values: readonly HeldValue[] };

type WatchOfLost = { repository: Repository; facts: () => RunFacts; lookedAt: { lost?: Lost } };

/** What would land next; of the rest it is known already that it is done again, or not at all. */
export const ABOUT_TO_LAND: ReadonlySet<TaskFacts["status"]> = new Set(["ready_for_qa", "qa_approved", "qa_blocked", "merging"]);

/** How many lost values are compared with a task's work. */
const COMPARED = 20;

async function lostNow({ repository, facts, lookedAt }: WatchOfLost, at: Oid): Promise<readonly HeldValue[]> {
  const { target } = facts();
  const mark = reflogMark(repository, target);
  const known = lookedAt.lost;
  if (known !== undefined && known.at === at && known.mark === mark && mark !== "") return known.values;
  const values = (await lostSince(repository, target, at)).slice(0, COMPARED);
  lookedAt.lost = { at, mark, values };
  return values;
}

/** Asks about work that is about to land, if somebody brought it into the target by hand and took it off again. */
export async function takenOffByHand(watch: WatchOfLost, at: Oid): Promise<Asked[]> {
  const { repository } = watch;
  const facts = watch.facts();
  const lost = await lostNow(watch, at);
  const open = [...facts.tasks.values()].filter(({ status }) => ABOUT_TO_LAND.has(status));
  const events: Asked[] = [];
  for (const task of lost.length === 0 ? [] : open) {
    const work = workOf(task);
    const by = work === undefined ? undefined : await holderOf(repository, work, lost);
    if (work !== undefined && by !== undefined && (await integratedBy(repository, work, at)) === undefined)
      events.push(asks(task.id, work.tip, at, `${facts.target} held its work (in ${by.slice(0, 12)}) and holds it no longer`));
  }
  return events;
}

/** Returns the lost value that held the work, or the same change. If the change is older than the work, an earlier attempt made it. */
async function holderOf(repository: Repository, work: { base: Oid; tip: Oid }, lost: readonly HeldValue[]): Promise<Oid | undefined> {
  const madeAt = await commitTime(repository, work.tip);
  for (const { oid, since } of lost)
    if ((await isAncestor(repository, work.tip, oid)) || (since > madeAt && (await integratedBy(repository, work, oid)) !== undefined))
      return oid;
  return undefined;
}

/** Returns what a task would bring into the target. Returns undefined if it has no commit on a branch yet. */
export function workOf({ commit, branch, base, decided }: TaskFacts): { base: Oid; tip: Oid; branch: string } | undefined {
  if (commit === null || branch === null) return undefined;
  // A person's decision changes what it was made on.
  return { base: (decided?.commit === commit ? decided.onto : base) ?? commit, tip: commit, branch };
}

/** The question to a person that a task's work raises. */
export type Asked = Extract<RunEvent, { type: "conflict" }>;

/** A person decides about work that a person took off the target. */
export function asks(task: string, commit: Oid, at: Oid, reason: string): Asked {
  return { type: "conflict", task, commit, base: at, paths: [], against: [], reason, person: true };
}
