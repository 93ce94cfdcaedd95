import { GraftworkError, type Plan, type RunEvent } from "../domain/index.ts";
import { halfLanded, type Repository, readRef, withMergeAttributes } from "../git/index.ts";
import { land, type MergeContext, recoverLanding } from "../merge/index.ts";
import { ensureSlots } from "../pool/index.ts";
import { pruneQa } from "../qa/index.ts";
import { foldLine, foldRun, isOver, type RunFacts } from "../session/index.ts";
import { beginJournal, type Journal, readJournal } from "../state/index.ts";
import { wasVerified } from "../trust/index.ts";
import { lookAtTarget, requireTarget } from "./look-at-target.ts";
import { type Ownership, ownRun } from "./ownership.ts";
import { decisionOf, slotsFor, unknownTarget } from "./prepare-run.ts";
import { replanned } from "./replan.ts";
import { inEffect, listRuns, type RunRecord, type RunSummary, seal, summaryOf } from "./run-folder.ts";
import { withRunLog } from "./run-log.ts";
import { drive, mergeContext, poolOf, type RunHost, type SessionEnd } from "./run-session.ts";

export type ContinueRequest = {
  run: string | null;
  /** Null: as the run was started. */
  mode: "all" | "one-group" | null;
  /** The plan file as it is now; null if it is gone, or the run was made from titles. */
  plan: Plan | null;
  /** Take changes to tasks that have not begun. */
  replan: boolean;
  /** The user says that the run's owner is gone. */
  takeOver: boolean;
  /** Do nothing but land these approved tasks. */
  land?: readonly string[];
};

/** The newest run that is not at its end, or the one named. Throws NOTHING_TO_CONTINUE, RUN_UNKNOWN. */
export function findRun(repository: Repository, run: string | null): RunSummary {
  const unreadable: GraftworkError[] = [];
  const all = run === null ? listRuns(repository, (error) => unreadable.push(error)) : [];
  const found = run === null ? all.find((one) => !isOver(one.facts)) : summaryOf(repository, run);
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
    try: "`graftwork run plan.yaml` begins one, `graftwork runs` lists them, `graftwork retry TASK` opens the newest again.",
  });
}

/** Picks a run up where its journal ends: what is done is not done again. */
export async function continueRun(asked: RunHost, request: ContinueRequest): Promise<SessionEnd> {
  const { now } = asked;
  const summary = findRun(asked.repository, request.run);
  const given = { ...asked, repository: await withMergeAttributes(asked.repository, summary.facts.base) };
  // What later tasks build on is not in the target any more.
  if (summary.facts.undone) throw nothingToContinue(`run ${summary.run} was undone.`);
  const plan = request.plan === null ? null : replanned(summary, request.plan, request.replan);
  const record = plan === null ? summary.record : inEffect(summary.record, plan);
  return inRun(
    given,
    summary.record,
    (ownership, journal, facts, emit) =>
      withRunLog(given, record, ownership.epoch, async (host) => {
        const { repository } = host;
        const { land } = request;
        emit({ type: "run-resumed", mode: request.mode ?? facts.mode, ...(land !== undefined && { land }) });
        const resumed = plan === null ? emit(null) : emit({ type: "replanned", plan, digest: record.digest });
        if (plan !== null) seal(host, record);
        await pruneQa(repository, now());
        const current = await settleLanding(host, record, ownership, resumed, emit);
        const decision = decisionOf(record.plan, record.config);
        const base = await readRef(repository, `refs/heads/${current.target}`);
        if (base === undefined) throw unknownTarget(current.target);
        if (land === undefined) await ensureSlots(poolOf(host, record), slotsFor(decision, record.plan), base);
        return drive(host, record, decision, ownership, journal, current, true);
      }),
    now,
    { takeOver: request.takeOver },
  );
}

/** Says an event in the run's journal, and returns the facts after it; null only returns them. */
export type Emit = (event: RunEvent | null) => RunFacts;

/** Owns a run for a few lines of its journal: a person's decision on one of its tasks. */
export async function inRun<Result>(
  host: Pick<RunHost, "repository">,
  record: RunRecord,
  work: (ownership: Ownership, journal: Journal, facts: RunFacts, emit: Emit) => Promise<Result>,
  now: () => Date,
  options: { takeOver?: boolean } = {},
): Promise<Result> {
  const ownership = await ownRun(host.repository, record.run, now(), options);
  try {
    const journal = beginJournal(record.folder, ownership.epoch, now);
    try {
      let facts = foldRun(readJournal(record.folder).lines, record.begun, record.limits);
      const emit: Emit = (event) => {
        if (event !== null) facts = foldLine(facts, journal.append(event), record.limits);
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

/**
 * Brings the facts of a run in line with the target before a person decides, as `continue` would: nobody else looks for a
 * run at its end. A run that is undone, or whose landing was cut off, stays as it is. Throws what `inRun` throws, and
 * REF_UNKNOWN if the target is gone.
 */
export async function inLineWithTarget(repository: Repository, found: RunSummary): Promise<RunSummary> {
  if (found.facts.undone || found.facts.openLanding !== null) return found;
  await requireTarget(repository, found.facts, "run the same command again");
  const honoured = await withMergeAttributes(repository, found.facts.base);
  const look = async (emit: Emit): Promise<RunFacts> => {
    await lookAtTarget({ repository: honoured, facts: () => emit(null), emit, lookedAt: {} });
    return emit(null);
  };
  const facts = await inRun(
    { repository },
    found.record,
    (_ownership, _journal, _facts, emit) => look(emit),
    () => new Date(),
  );
  return { ...found, facts };
}

/** A landing that was begun, or that waits for the user's checkout, is looked at before anything else. */
async function settleLanding(host: RunHost, record: RunRecord, ownership: Ownership, facts: RunFacts, emit: Emit): Promise<RunFacts> {
  const merging: MergeContext = { ...(await mergeContext(host, record, ownership, facts.target)), emit };
  const { openLanding } = facts;
  if (openLanding !== null) {
    const { landed, foreign } = await recoverLanding(merging, openLanding);
    if (foreign.length > 0) throw halfLanded(openLanding.checkout ?? "", foreign);
    if (!landed) emit({ type: "landing-void", reason: "the landing was interrupted; it is done again" });
  }
  const now = (): RunFacts => emit(null);
  await lookAtTarget({ repository: host.repository, facts: now, emit, lookedAt: {} });
  const { waiting } = now();
  if (waiting === null) return now();
  if (wasVerified(host.repository.layout, record.run, waiting.to))
    await land(merging, { from: waiting.from, to: waiting.to, tasks: waiting.tasks });
  else emit({ type: "landing-void", reason: "your state folder does not know that it was verified; it is merged and verified anew" });
  return now();
}
