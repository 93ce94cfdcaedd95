import { GraftworkError, type Verdict } from "../domain/index.ts";
import type { Oid } from "../git/index.ts";
import { mergeApproved, type Offer, orderCandidates, type TrainConflict, verifyOne, verifyTogether } from "../merge/index.ts";
import { candidatesOf } from "./candidates.ts";
import { baseNow, factsOf, type JobContext, landedTasks, mergingOf } from "./job-context.ts";
import { holdsWork } from "./look-at-target.ts";
import { landableOf } from "./next-jobs.ts";

/** Judges one task's commit on the target as it is now. */
export async function verify(context: JobContext, id: string): Promise<void> {
  const at = await front(context);
  const [candidate] = candidatesOf(context.facts(), [id]);
  // The look at the target may have found it there.
  if (candidate === undefined || factsOf(context, id).status !== "ready_for_qa") return;
  const judged = await verifyOne(mergingFor(context, id), at, candidate);
  if (judged.kind === "conflict") context.emit({ type: "conflict", ...judged.conflict });
  else context.emit({ type: "verdict", task: id, verdict: judged.verdict });
}

type Front = { base: Oid; earlier: readonly string[] };

/** What is verified begins here: a commit, and the tasks of the run that it holds. */
async function front(context: JobContext): Promise<Front> {
  const base = await baseNow(context);
  const facts = context.facts();
  return { base, earlier: [...landedTasks(facts), ...(facts.waiting?.tasks.map(({ task }) => task) ?? [])] };
}

/** As the run merges, with the lines of one task's checks told as its own. */
function mergingFor(context: JobContext, id: string): ReturnType<typeof mergingOf> {
  return { ...mergingOf(context), narrate: (line) => context.onLine(id, line.trim()) };
}

/** Takes approved work to the target. Who may land is asked for anew on each target that is found. */
export async function landAll(context: JobContext, ids: readonly string[]): Promise<void> {
  const merging = mergingOf(context);
  const offerOn = async (): Promise<Offer> => {
    const base = await baseNow(context);
    const facts = context.facts();
    const candidates = candidatesOf(facts, landableOf(facts, new Set(ids)));
    const order = candidates.length < 2 ? candidates : (await orderCandidates(merging, base, candidates)).order;
    return { candidates: order, earlier: landedTasks(facts), waiting: facts.waiting };
  };
  const { result } = await mergeApproved(merging, offerOn);
  if (result.kind !== "moved") return;
  const { target } = context.facts();
  throw new GraftworkError("TARGET_MOVED", {
    message: `${target} moved each time a merge for it was verified.`,
    because: "somebody else keeps committing to it.",
    try: "`graftwork continue` when it is quieter; nothing is lost.",
  });
}

/**
 * Looks once more at what QA rejected for good, now that the others are at rest: all of it together, then each alone.
 * A task fails if the target has not moved since its rejection and it does not pass together with the others either.
 */
export async function secondLook(context: JobContext, ids: readonly string[]): Promise<void> {
  const at = await front(context);
  const { base } = at;
  const isOpen = (id: string): boolean => factsOf(context, id).secondLook !== null;
  const open = ids.filter(isOpen);
  // What was approved here and ejected at its landing is not approved here again.
  if (open.some((id) => factsOf(context, id).lookedAt !== base)) await lookTogether(context, at, open);
  const unmoved = open.filter((id) => factsOf(context, id).secondLook?.base === base);
  for (const task of unmoved) context.emit({ type: "second-look", task, base, verdict: null });
  for (const candidate of candidatesOf(context.facts(), open.filter(isOpen))) {
    const judged = await verifyOne(mergingFor(context, candidate.task), at, candidate);
    if (judged.kind === "conflict")
      context.emit({ type: "second-look", task: candidate.task, base, verdict: null, reason: collisionText(judged.conflict) });
    else if (judged.verdict.decision === "approved") await approve(context, [], { task: candidate.task, base, verdict: judged.verdict });
    else context.emit({ type: "second-look", task: candidate.task, base, verdict: judged.verdict });
  }
}

/** Approves all of several tasks if they pass as one tree. This also finds tasks that need each other, on any target. */
async function lookTogether(context: JobContext, at: Front, ids: readonly string[]): Promise<void> {
  const candidates = candidatesOf(context.facts(), ids);
  if (candidates.length < 2) return;
  const { verdict, steps } = await verifyTogether(mergingOf(context), { ...at, label: "train" }, candidates);
  if (verdict?.decision !== "approved") return;
  const together = steps.map(({ task }) => task);
  for (const task of together) await approve(context, together, { task, base: at.base, verdict });
}

function collisionText({ paths, reason }: TrainConflict): string {
  return reason ?? `it collides in ${paths.join(", ")}`;
}

/** Approves a task, and warns of the dependency that nobody declared: on what landed since, or on what passed with it. */
async function approve(
  context: JobContext,
  together: readonly string[],
  { task, base, verdict }: { task: string; base: Oid; verdict: Verdict },
): Promise<void> {
  const { secondLook: look, commit } = factsOf(context, task);
  const since = look === null ? [] : await landedSince(context, look.base);
  const needed = [...since, ...together.filter((id) => id !== task)];
  context.emit({ type: "second-look", task, base, verdict: { ...verdict, label: task, commit: commit ?? verdict.commit } });
  if (needed.length > 0) context.emit({ type: "warning", task, text: undeclaredText(needed) });
}

/** Tasks of the run whose work the target holds now and `base` did not. */
async function landedSince({ repository, facts }: JobContext, base: Oid): Promise<string[]> {
  const since: string[] = [];
  for (const task of facts().tasks.values()) {
    if (task.status !== "done" || task.landed === null) continue;
    if (!(await holdsWork(repository, task, task.landed, base))) since.push(task.id);
  }
  return since;
}

function undeclaredText(needed: readonly string[]): string {
  const list = `\`depends_on: [${needed.join(", ")}]\``;
  if (needed.length === 1) return `it passes now and did not before, so it needs ${needed[0]}: add ${list} to the plan`;
  return `it passes now and did not before, so it needs one or more of these: add those of ${list} to the plan`;
}
