import { join } from "node:path";
import { type BriefTemplates, checksOf } from "../dispatch/index.ts";
import { type Check, type Config, type Decision, EXIT, type ExitCode, type Plan, type Task } from "../domain/index.ts";
import { type Repository, userIdentity } from "../git/index.ts";
import { type MergeContext, resolvingOf } from "../merge/index.ts";
import { type PoolContext, processOwner } from "../pool/index.ts";
import { packageChecks, verifyCommit } from "../qa/index.ts";
import type { RunFacts } from "../session/index.ts";
import type { Journal } from "../state/index.ts";
import { driveRun } from "./engine.ts";
import type { EngineContext } from "./engine-context.ts";
import type { Ownership } from "./ownership.ts";
import type { RunRecord } from "./run-folder.ts";

/** What running a plan needs from its caller, besides the plan. */
export type RunHost = {
  repository: Repository;
  config: Config;
  templates: BriefTemplates;
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

export async function drive(
  host: RunHost,
  record: RunRecord,
  decision: Decision,
  ownership: Ownership,
  journal: Journal,
  facts: RunFacts,
  resumed: boolean,
): Promise<SessionEnd> {
  const { plan, run } = record;
  host.onStart({ run, plan, decision, target: facts.target, facts, resumed });
  const merging = await mergeContext(host, record, ownership, facts.target);
  // As QA does: the plan's, else the configuration's, else the package scripts of the base.
  const fallback = record.config.qa.checks.length > 0 ? record.config.qa.checks : await packageChecks(host.repository, facts.base);
  const checksFor = (task: Task): readonly Check[] => {
    const own = checksOf(plan, task);
    return own.length > 0 ? own : fallback;
  };
  const end = await driveRun(
    {
      repository: host.repository,
      record,
      decision,
      ownership,
      journal,
      pool: poolOf(host, record),
      merging,
      templates: host.templates,
      checksFor,
      onEvent: host.onEvent,
      onLine: host.onLine,
      narrate: host.narrate,
      rateLimitPauseMs: host.rateLimitPauseMs ?? 60_000,
      now: host.now,
      signal: host.signal,
    },
    facts,
    (now) => (!host.signal.aborted && isFinished(now) ? { type: "run-ended", exit: exitOf(now) } : null),
  );
  const exit = host.signal.aborted ? 130 : exitOf(end);
  const remainingGroups = decision.groups.map((group) => group.number).filter((n) => (end.groups.get(n)?.checkpoint ?? null) === null);
  return { run, exit, decision, plan, facts: end, remainingGroups };
}

export async function mergeContext(host: RunHost, record: RunRecord, ownership: Ownership, target: string): Promise<MergeContext> {
  const { repository, now } = host;
  const checksFor = (tasks: readonly string[]): Check[] =>
    uniqueChecks(record.plan.tasks.filter((task) => tasks.includes(task.id)).flatMap((task) => checksOf(record.plan, task)));
  const ownChecks = (tasks: readonly string[]): Check[] => {
    const plans = new Set(record.plan.verification.map((check) => JSON.stringify(check)));
    const own = record.plan.tasks.filter((task) => tasks.includes(task.id)).flatMap((task) => task.verification);
    return uniqueChecks(own).filter((check) => !plans.has(JSON.stringify(check)));
  };
  const { qa: settings, pool } = record.config;
  const qa = { repository, run: record.run, ownChecks, logs: join(record.folder, "logs"), settings, setEnv: pool.env, checksFor, now };
  return {
    repository,
    run: record.run,
    target,
    person: await userIdentity(repository),
    verify: (request) => verifyCommit(qa, request),
    slots: settings.slots,
    resolving: resolvingOf(record.config, host.signal),
    strategy: record.config.merge.strategy,
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
  const over = [...facts.tasks.values()].every(
    (task) => ["done", "failed", "skipped"].includes(task.status) || (task.status === "qa_approved" && !facts.merge),
  );
  return over && facts.waiting === null;
}

export function poolOf(host: RunHost, record: RunRecord): PoolContext {
  return {
    repository: host.repository,
    settings: record.config.pool,
    owner: processOwner(record.run),
    run: record.run,
    now: host.now,
    narrate: host.narrate,
  };
}
