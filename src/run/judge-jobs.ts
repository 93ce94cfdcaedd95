import { GraftworkError, type Verdict } from "../domain/index.ts";
import { integratedBy, type Oid } from "../git/index.ts";
import {
  type Candidate,
  mergeApproved,
  type Offer,
  orderCandidates,
  type TrainConflict,
  verifyOne,
  verifyTogether,
} from "../merge/index.ts";
import { baseNow, candidatesOf, factsOf, type JobContext, landedTasks, mergingOf } from "./job-context.ts";
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

/** What is verified begins here: a commit, and the tasks of the run that it holds. */
async function front(context: JobContext): Promise<{ base: Oid; earlier: readonly string[] }> {
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
 * If the target has not moved since the rejection, there is nothing to look at, and the task has failed.
 */
export async function secondLook(context: JobContext, ids: readonly string[]): Promise<void> {
  const at = await front(context);
  const { base } = at;
  const open = ids.filter((id) => factsOf(context, id).secondLook !== null);
  const isNew = (id: string): boolean => factsOf(context, id).secondLook?.base !== base;
  for (const task of open.filter((id) => !isNew(id))) context.emit({ type: "second-look", task, base, verdict: null });
  const candidates = candidatesOf(context.facts(), open.filter(isNew));
  if (candidates.length > 1) {
    const merging = mergingOf(context);
    const { verdict, steps } = await verifyTogether(merging, { ...at, label: "second-look" }, candidates);
    if (verdict?.decision === "approved") {
      for (const { task } of steps) await approve(context, candidates, { task, base, verdict });
    }
  }
  for (const candidate of candidates) {
    if (factsOf(context, candidate.task).secondLook === null) continue;
    const judged = await verifyOne(mergingFor(context, candidate.task), at, candidate);
    if (judged.kind === "conflict")
      context.emit({ type: "second-look", task: candidate.task, base, verdict: null, reason: collisionText(judged.conflict) });
    else if (judged.verdict.decision === "approved")
      await approve(context, candidates, { task: candidate.task, base, verdict: judged.verdict });
    else context.emit({ type: "second-look", task: candidate.task, base, verdict: judged.verdict });
  }
}

function collisionText({ paths, reason }: TrainConflict): string {
  return reason ?? `it collides in ${paths.join(", ")}`;
}

/** Says with the approval which dependency nobody had declared: on what landed since, or was looked at with it. */
async function approve(
  context: JobContext,
  together: readonly Candidate[],
  { task, base, verdict }: { task: string; base: Oid; verdict: Verdict },
): Promise<void> {
  const { repository, emit } = context;
  const facts = context.facts();
  const { secondLook: look, commit } = factsOf(context, task);
  const since: string[] = [];
  for (const { id, status, landed } of facts.tasks.values()) {
    if (status !== "done" || landed === null || look === null) continue;
    const isOlder = (await integratedBy(repository, { base: landed.branchTip, tip: landed.merge }, look.base)) !== undefined;
    if (!isOlder) since.push(id);
  }
  const others = since.length > 0 ? since : together.map((one) => one.task).filter((id) => id !== task);
  emit({ type: "second-look", task, base, verdict: { ...verdict, label: task, commit: commit ?? verdict.commit } });
  const text = `it passes now and did not before, so it needs what landed meanwhile: add \`depends_on: [${others.join(", ")}]\` to the plan`;
  if (others.length > 0) emit({ type: "warning", task, text });
}
