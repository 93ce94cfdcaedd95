import { GraftworkError, type Plan, type RunEvent } from "../domain/index.ts";
import { halfLanded, isAncestor, type Repository, readRef } from "../git/index.ts";
import { land, type MergeContext, recoverLanding } from "../merge/index.ts";
import { diffPlans, planDigest } from "../plan/index.ts";
import { ensureSlots } from "../pool/index.ts";
import { pruneQa } from "../qa/index.ts";
import { foldLine, foldRun, type RunFacts } from "../session/index.ts";
import { beginJournal, type Journal, readJournal } from "../state/index.ts";
import { type Ownership, ownRun } from "./ownership.ts";
import { decisionOf, slotsFor, unknownTarget } from "./prepare-run.ts";
import { listRuns, type RunRecord, type RunSummary, savePlan, summaryOf } from "./run-folder.ts";
import { withRunLog } from "./run-log.ts";
import { drive, mergeContext, poolOf, type RunHost, type SessionEnd } from "./run-session.ts";

export type ContinueRequest = {
  run: string | null;
  /** Null: as the run was started. */
  mode: "all" | "one-group" | null;
  /** The plan file as it is now; null where it is gone or was none. */
  plan: Plan | null;
  /** Take changes to tasks that have not begun. */
  replan: boolean;
  /** The user says that the run's owner is gone. */
  takeOver: boolean;
};

/** The newest run that is not at its end and was not undone, or the one named. Throws NOTHING_TO_CONTINUE, RUN_UNKNOWN. */
export function findRun(repository: Repository, run: string | null): RunSummary {
  const unreadable: GraftworkError[] = [];
  const all = run === null ? listRuns(repository, (error) => unreadable.push(error)) : [];
  const found = run === null ? all.find((one) => one.ended === null && !one.facts.undone) : summaryOf(repository, run);
  if (found !== undefined) return found;
  if (unreadable[0] !== undefined) throw unreadable[0];
  if (run !== null) throw nothingToContinue(`run ${run} ended before it said anything.`);
  throw nothingToContinue(
    all.length === 0 ? "no plan was ever run in this repository." : `every run is at its end; the newest is ${all[0]?.run}.`,
  );
}

function nothingToContinue(because: string): GraftworkError {
  return new GraftworkError("NOTHING_TO_CONTINUE", {
    message: "No previous autonomous session found.",
    because,
    try: "`graftwork run plan.yaml` begins one, `graftwork runs` lists them.",
  });
}

/** Picks a run up where its journal ends: what is done is not done again. */
export async function continueRun(given: RunHost, request: ContinueRequest): Promise<SessionEnd> {
  const { now } = given;
  const summary = findRun(given.repository, request.run);
  // What later tasks build on is not in the target any more.
  if (summary.facts.undone) throw nothingToContinue(`run ${summary.run} was undone.`);
  const record = withPlan(summary, request);
  return inRun(
    given,
    record,
    (ownership, journal, facts, emit) =>
      withRunLog(given, record, ownership.epoch, async (host) => {
        const { repository } = host;
        if (record.digest !== summary.record.digest) savePlan(record);
        const resumed = emit({ type: "run-resumed", mode: request.mode ?? facts.mode });
        await pruneQa(repository, now());
        const current = await settleLanding(host, record, ownership, resumed, emit);
        const decision = decisionOf(record.plan, record.config);
        const base = await readRef(repository, `refs/heads/${current.target}`);
        if (base === undefined) throw unknownTarget(current.target);
        await ensureSlots(poolOf(host, record), slotsFor(decision, record.plan), base);
        return drive(host, record, decision, ownership, journal, current, true);
      }),
    now,
    { takeOver: request.takeOver },
  );
}

/** Owns a run for a few lines of its journal: a person's decision on one of its tasks. */
export async function inRun<Result>(
  host: Pick<RunHost, "repository">,
  record: RunRecord,
  work: (ownership: Ownership, journal: Journal, facts: RunFacts, emit: (event: RunEvent) => RunFacts) => Promise<Result>,
  now: () => Date,
  options: { takeOver?: boolean } = {},
): Promise<Result> {
  const ownership = await ownRun(host.repository, record.run, now(), options);
  try {
    const journal = beginJournal(record.folder, ownership.epoch, now);
    try {
      let facts = foldRun(readJournal(record.folder).lines, record.plan, record.limits);
      const emit = (event: RunEvent): RunFacts => {
        facts = foldLine(facts, journal.append(event), record.plan, record.limits);
        return facts;
      };
      return await work(ownership, journal, facts, emit);
    } finally {
      journal.close();
    }
  } finally {
    await ownership.release();
  }
}

/** A landing that was begun, or that waits for the user's checkout, is looked at before anything else. */
async function settleLanding(
  host: RunHost,
  record: RunRecord,
  ownership: Ownership,
  facts: RunFacts,
  emit: (event: RunEvent) => RunFacts,
): Promise<RunFacts> {
  let now = facts;
  const merging: MergeContext = {
    ...(await mergeContext(host, record, ownership, facts.target)),
    emit: (event) => void (now = emit(event)),
  };
  const { openLanding } = facts;
  if (openLanding !== null) {
    const { landed, foreign } = await recoverLanding(merging, openLanding);
    if (foreign.length > 0) throw halfLanded(openLanding.checkout ?? "", foreign);
    if (!landed) merging.emit({ type: "landing-void", reason: "the landing was interrupted; it is done again" });
    return now;
  }
  const { waiting } = now;
  if (waiting === null) return now;
  const target = await readRef(host.repository, `refs/heads/${now.target}`);
  if (target !== undefined && (await isAncestor(host.repository, waiting.to, target)))
    merging.emit({ type: "landed", from: waiting.from, to: waiting.to, tasks: waiting.tasks });
  else if (target === waiting.from) await land(merging, { from: waiting.from, to: waiting.to, tasks: waiting.tasks });
  else merging.emit({ type: "landing-void", reason: `${now.target} moved to ${target?.slice(0, 12)} meanwhile` });
  return now;
}

function withPlan(summary: RunSummary, request: ContinueRequest): RunRecord {
  const { record, facts } = summary;
  if (request.plan === null) return record;
  const differences = diffPlans(record.plan, request.plan);
  if (differences.length === 0) return record;
  const begun = new Set([...facts.tasks.values()].filter((task) => task.attempts > 0).map((task) => task.id));
  const touched = record.plan.tasks.filter(
    (task) => begun.has(task.id) && JSON.stringify(task) !== JSON.stringify(request.plan?.tasks.find((one) => one.id === task.id)),
  );
  if (!request.replan || touched.length > 0)
    throw planChanged(
      record,
      differences,
      touched.map((task) => task.id),
    );
  return { ...record, plan: request.plan, digest: planDigest(request.plan) };
}

function planChanged(record: RunRecord, differences: readonly string[], begun: readonly string[]): GraftworkError {
  return new GraftworkError("PLAN_CHANGED", {
    message: `${record.source ?? "The plan"} is not the plan that run ${record.run} began with.`,
    because: differences.join("\n  "),
    try:
      begun.length === 0
        ? "`graftwork continue --replan` takes the changes, or put the plan back."
        : `put ${begun.join(", ")} back as ${begun.length === 1 ? "it was: it has" : "they were: they have"} begun.`,
    details: { differences, begun },
  });
}
