import { randomInt } from "node:crypto";
import { join } from "node:path";
import { agentOf, checksOf } from "../dispatch/index.ts";
import { type Check, type Config, type Decision, EXIT, type ExitCode, GraftworkError, type JournalLine, type Plan, type RunEvent, runId } from "../domain/index.ts";
import { currentBranch, dangerousConfig, isAncestor, type Oid, readRef, type Repository, requireCommit, userIdentity } from "../git/index.ts";
import { land, type MergeContext, recoverLanding } from "../merge/index.ts";
import { decide, diffPlans } from "../plan/index.ts";
import { ensureSlots, type PoolContext, processOwner } from "../pool/index.ts";
import { packageChecks, verifyCommit } from "../qa/index.ts";
import { foldLine, foldRun, type RunFacts } from "../session/index.ts";
import { beginJournal, type Journal, readJournal } from "../state/index.ts";
import { sweepProcesses } from "../subprocess/index.ts";
import { driveRun, type EngineContext } from "./engine.ts";
import { type Ownership, ownRun } from "./ownership.ts";
import { createRunFolder, listRuns, readRunFolder, type RunRecord, type RunSummary } from "./run-folder.ts";

/** What running a plan needs from its caller, besides the plan. */
export type RunHost = {
  repository: Repository;
  config: Config;
  /** Text of the executor's brief template. */
  executorTemplate: string;
  onStart: (session: SessionStart) => void;
  onEvent: EngineContext["onEvent"];
  /** One cleaned line of an agent's or a check's output. */
  onLine: (task: string, line: string) => void;
  narrate: (line: string) => void;
  signal: AbortSignal;
  now: () => Date;
  /** Default: one minute. */
  rateLimitPauseMs?: number;
};

export type SessionStart = { run: string; plan: Plan; decision: Decision; target: string; facts: RunFacts; resumed: boolean };

export type SessionEnd = {
  run: string;
  exit: ExitCode;
  decision: Decision;
  plan: Plan;
  facts: RunFacts;
  /** Groups without a checkpoint. */
  remainingGroups: readonly number[];
};

export type RunRequest = { plan: Plan; source: string | null; into: string | null; mode: "all" | "one-group"; merge: boolean };

/** What a run would do, worked out without changing anything. Throws what is wrong with plan or repository. */
export async function prepareRun(host: RunHost | Pick<RunHost, "repository" | "config">, request: RunRequest): Promise<{ target: string; base: Oid; decision: Decision }> {
  const { repository, config } = host;
  const target = request.into ?? request.plan.base ?? (await currentBranch(repository, repository.root));
  if (target === null) throw noTarget();
  const base = await requireCommit(repository, `refs/heads/${target}`).catch((error: unknown) => {
    throw error instanceof GraftworkError && error.code === "REF_UNKNOWN" ? unknownTarget(target) : error;
  });
  for (const task of request.plan.tasks) agentOf({ config }, task);
  const unchecked = request.plan.tasks.filter((task) => checksOf(request.plan, task).length === 0);
  if (unchecked.length > 0 && config.qa.checks.length === 0 && (await packageChecks(repository, base)).length === 0) throw noChecks();
  return { target, base, decision: decisionOf(request.plan, config) };
}

/** Runs a plan from its beginning. Throws before anything is made where plan, target or checks are not usable. */
export async function startRun(host: RunHost, request: RunRequest): Promise<SessionEnd> {
  const { repository, config, now } = host;
  const { target, base, decision } = await prepareRun(host, request);
  const run = runId(request.plan.name, now(), letters());
  const ownership = await ownRun(repository, run, now());
  try {
    const record = createRunFolder(repository, run, request.plan, request.source, config, await dangerousConfig(repository));
    await ensureSlots(poolOf(host, record), slotsFor(decision, request.plan), base);
    const journal = beginJournal(record.folder, ownership.epoch, now);
    try {
      const first = journal.append({ type: "run-started", run, plan: request.plan.name, planDigest: record.digest, target, base, mode: request.mode, merge: request.merge });
      const facts = foldRun([first], request.plan, record.limits);
      return await drive(host, record, decision, ownership, journal, facts, false);
    } finally {
      journal.close();
    }
  } finally {
    await ownership.release();
  }
}

export type ContinueRequest = {
  run: string | null;
  /** Null: as the run was started. */
  mode: "all" | "one-group" | null;
  /** The plan file as it is now; null where it is gone or was none. */
  plan: Plan | null;
  /** Take changes to tasks that have not begun. */
  replan: boolean;
};

/** The newest run that is not at its end, or the one named. Throws NOTHING_TO_CONTINUE, RUN_UNKNOWN. */
export function findRun(repository: Repository, run: string | null): RunSummary {
  const all = listRuns(repository);
  const found = run === null ? all.find((one) => one.ended === null) : all.find((one) => one.run === run);
  if (found !== undefined) return found;
  if (run !== null) readRunFolder(repository, run);
  throw new GraftworkError("NOTHING_TO_CONTINUE", {
    message: "No previous autonomous session found.",
    because: all.length === 0 ? "no plan was ever run in this repository." : `every run is at its end; the newest is ${all[0]?.run}.`,
    try: "`graftwork run plan.yaml` begins one, `graftwork runs` lists them.",
  });
}

/** Picks a run up where its journal ends: what is done is not done again. */
export async function continueRun(host: RunHost, request: ContinueRequest): Promise<SessionEnd> {
  const { repository, now } = host;
  const summary = findRun(repository, request.run);
  const record = withPlan(summary, request);
  return inRun(host, record, async (ownership, journal, facts, emit) => {
    const resumed = emit({ type: "run-resumed", mode: request.mode ?? facts.mode });
    await sweepProcesses({ markers: [`GRAFTWORK_RUN=${record.run}`], folders: [] }, 2_000);
    const current = await settleLanding(host, record, ownership, resumed, emit);
    const decision = decisionOf(record.plan, record.config);
    const base = await readRef(repository, `refs/heads/${current.target}`);
    if (base === undefined) throw unknownTarget(current.target);
    await ensureSlots(poolOf(host, record), slotsFor(decision, record.plan), base);
    return drive(host, record, decision, ownership, journal, current, true);
  }, now);
}

/** Owns a run for a few lines of its journal: a person's decision on one of its tasks. */
export async function inRun<Result>(
  host: Pick<RunHost, "repository">,
  record: RunRecord,
  work: (ownership: Ownership, journal: Journal, facts: RunFacts, emit: (event: RunEvent) => RunFacts) => Promise<Result>,
  now: () => Date,
): Promise<Result> {
  const ownership = await ownRun(host.repository, record.run, now());
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
async function settleLanding(host: RunHost, record: RunRecord, ownership: Ownership, facts: RunFacts, emit: (event: RunEvent) => RunFacts): Promise<RunFacts> {
  let now = facts;
  const merging: MergeContext = { ...(await mergeContext(host, record, ownership, facts.target)), emit: (event) => void (now = emit(event)) };
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
  if (target !== undefined && (await isAncestor(host.repository, waiting.to, target))) merging.emit({ type: "landed", from: waiting.from, to: waiting.to, tasks: waiting.tasks });
  else if (target === waiting.from) await land(merging, { from: waiting.from, to: waiting.to, tasks: waiting.tasks });
  else merging.emit({ type: "landing-void", reason: `${now.target} moved to ${target?.slice(0, 12)} meanwhile` });
  return now;
}

async function drive(host: RunHost, record: RunRecord, decision: Decision, ownership: Ownership, journal: Journal, facts: RunFacts, resumed: boolean): Promise<SessionEnd> {
  const { plan, run } = record;
  host.onStart({ run, plan, decision, target: facts.target, facts, resumed });
  const merging = await mergeContext(host, record, ownership, facts.target);
  const end = await driveRun(
    {
      repository: host.repository,
      record,
      decision,
      ownership,
      journal,
      pool: poolOf(host, record),
      verify: merging.verify,
      person: merging.person,
      executorTemplate: host.executorTemplate,
      onEvent: host.onEvent,
      onLine: host.onLine,
      narrate: host.narrate,
      rateLimitPauseMs: host.rateLimitPauseMs ?? 60_000,
      now: host.now,
      signal: host.signal,
    },
    facts,
  );
  const exit = host.signal.aborted ? 130 : exitOf(end);
  const remainingGroups = decision.groups.map((group) => group.number).filter((n) => (end.groups.get(n)?.checkpoint ?? null) === null);
  let last = end;
  if (!host.signal.aborted && isFinished(end)) {
    const line: JournalLine = journal.append({ type: "run-ended", exit });
    last = foldLine(end, line, plan, record.limits);
    host.onEvent(line, end, last);
  }
  return { run, exit, decision, plan, facts: last, remainingGroups };
}

async function mergeContext(host: RunHost, record: RunRecord, ownership: Ownership, target: string): Promise<Omit<MergeContext, "emit"> & { emit: MergeContext["emit"] }> {
  const { repository, now } = host;
  const checksFor = (tasks: readonly string[]): Check[] => uniqueChecks(record.plan.tasks.filter((task) => tasks.includes(task.id)).flatMap((task) => checksOf(record.plan, task)));
  const qa = { repository, run: record.run, logs: join(record.folder, "logs"), settings: record.config.qa, checksFor, now };
  return {
    repository,
    run: record.run,
    target,
    person: await userIdentity(repository),
    verify: (request) => verifyCommit(qa, request),
    emit: () => undefined,
    fence: ownership.fence,
    trustedConfig: record.trustedConfig,
    narrate: host.narrate,
    signal: host.signal,
  };
}

/** The plan's checks once, then each task's own. */
function uniqueChecks(checks: readonly Check[]): Check[] {
  const seen = new Set<string>();
  return checks.filter((check) => {
    const key = JSON.stringify(check);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

export function exitOf(facts: RunFacts): ExitCode {
  const statuses = [...facts.tasks.values()].map((task) => task.status);
  if (facts.waiting !== null || statuses.includes("conflict") || statuses.includes("qa_blocked")) return EXIT.person;
  if (statuses.includes("failed") || statuses.includes("skipped")) return EXIT.refused;
  return EXIT.ok;
}

/** Nothing in it can go on, not even by a person's decision on a conflict. */
function isFinished(facts: RunFacts): boolean {
  const over = [...facts.tasks.values()].every((task) => ["done", "failed", "skipped"].includes(task.status) || (task.status === "qa_approved" && !facts.merge));
  return over && facts.waiting === null;
}

function poolOf(host: RunHost, record: RunRecord): PoolContext {
  return {
    repository: host.repository,
    settings: record.config.pool,
    owner: processOwner(record.run),
    run: record.run,
    now: host.now,
    narrate: host.narrate,
  };
}

export function decisionOf(plan: Plan, config: Config): Decision {
  const { enabled, minTasks, maxAgents } = config.parallelization;
  return decide(plan, { enabled, minTasks, maxAgents });
}

/** As many slots as tasks can hold one at a time: those at work and those whose verdict or landing is awaited. */
function slotsFor(decision: Decision, plan: Plan): number {
  const largest = Math.max(1, ...decision.groups.map((group) => group.tasks.length));
  return Math.min(plan.tasks.length, Math.max(decision.agents, largest));
}

function withPlan(summary: RunSummary, request: ContinueRequest): RunRecord {
  const { record, facts } = summary;
  if (request.plan === null) return record;
  const differences = diffPlans(record.plan, request.plan);
  if (differences.length === 0) return record;
  const begun = new Set([...facts.tasks.values()].filter((task) => task.attempts > 0).map((task) => task.id));
  const touched = record.plan.tasks.filter((task) => begun.has(task.id) && JSON.stringify(task) !== JSON.stringify(request.plan?.tasks.find((one) => one.id === task.id)));
  if (!request.replan || touched.length > 0) throw planChanged(record, differences, touched.map((task) => task.id));
  return { ...record, plan: request.plan };
}

function letters(): string {
  return Array.from({ length: 4 }, () => String.fromCharCode(97 + randomInt(26))).join("");
}


function noTarget(): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", { message: "There is no target branch.", because: "HEAD is detached and neither the plan's `base` nor `--into` names a branch.", try: "`graftwork run PLAN --into main`." });
}

function unknownTarget(target: string): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", { message: `There is no branch ${JSON.stringify(target)} to merge into.`, because: "the plan's `base` or `--into` names it, and git knows no such branch.", try: "see `git branch`, or make it: `git branch NAME COMMIT`." });
}

function noChecks(): GraftworkError {
  return new GraftworkError("NO_CHECKS", {
    message: "Nothing says how to tell good work from bad.",
    because: "the plan has no `verification`, the configuration no `qa.checks`, and the target's package.json none of the scripts typecheck, lint, test, build.",
    try: "add `verification: [npm test]` (or what your project uses) to the plan.",
  });
}

function planChanged(record: RunRecord, differences: readonly string[], begun: readonly string[]): GraftworkError {
  return new GraftworkError("PLAN_CHANGED", {
    message: `${record.source ?? "The plan"} is not the plan that run ${record.run} began with.`,
    because: differences.join("\n  "),
    try: begun.length === 0 ? "`graftwork continue --replan` takes the changes, or put the plan back." : `put ${begun.join(", ")} back as ${begun.length === 1 ? "it was: it has" : "they were: they have"} begun.`,
    details: { differences, begun },
  });
}

function halfLanded(checkout: string, paths: readonly string[]): GraftworkError {
  return new GraftworkError("CHECKOUT_WAITS", {
    message: `A landing was cut off in ${checkout}, and ${paths.length === 1 ? "a file was" : "files were"} changed there since.`,
    because: `these hold content that is neither the old nor the new one: ${paths.slice(0, 10).join(", ")}.`,
    try: "save what you need of them elsewhere, `git checkout -- PATH` each, then `graftwork continue`.",
    details: { checkout, paths },
  });
}
