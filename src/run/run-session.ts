import { join } from "node:path";
import type { BriefTemplates } from "../dispatch/index.ts";
import type { Check, Config, Decision, ExitCode, JudgedCheck, Plan, Task, Verify } from "../domain/index.ts";
import { type Repository, userIdentity } from "../git/index.ts";
import { type MergeContext, resolvingOf } from "../merge/index.ts";
import { checksOf, checksOfTask, type TreeTasks } from "../plan/index.ts";
import { copiedSecrets, type PoolContext, processOwner } from "../pool/index.ts";
import { packageChecks, verifyCommit } from "../qa/index.ts";
import type { RunFacts } from "../session/index.ts";
import type { Journal } from "../state/index.ts";
import { commandFiles } from "../trust/index.ts";
import { exitOf, isFinished } from "./at-rest.ts";
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
  /** How a commit that merging made is judged; default: by QA. */
  verify?: Verify;
  /** Default: one minute. */
  rateLimitPauseMs?: number;
  /** Default: two seconds. */
  readyPauseMs?: number;
  /** How long an attempt waits for a slot that others hold; default: ten minutes. */
  slotWaitMs?: number;
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
  const defaults = record.config.qa.checks.length > 0 ? record.config.qa.checks : await packageChecks(host.repository, facts.base);
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
      checksFor: (task: Task): readonly Check[] => checksOfTask(plan, task, defaults),
      onEvent: host.onEvent,
      onLine: host.onLine,
      narrate: host.narrate,
      rateLimitPauseMs: host.rateLimitPauseMs ?? 60_000,
      readyPauseMs: host.readyPauseMs ?? 2_000,
      slotWaitMs: host.slotWaitMs ?? SLOT_WAIT_MS,
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

const SLOT_WAIT_MS = 10 * 60_000;

export async function mergeContext(
  host: Pick<RunHost, "repository" | "now" | "signal" | "narrate" | "verify">,
  record: RunRecord,
  ownership: Pick<Ownership, "fence">,
  target: string,
): Promise<MergeContext> {
  const { repository, now } = host;
  const { qa: settings, pool } = record.config;
  const checksFor = (tree: TreeTasks): JudgedCheck[] => checksOf(record.plan, tree);
  const secrets = copiedSecrets({ repository, settings: pool });
  const qa = { repository, run: record.run, logs: join(record.folder, "logs"), settings, setEnv: pool.env, checksFor, secrets, now };
  return {
    repository,
    run: record.run,
    target,
    person: await userIdentity(repository),
    verify: host.verify ?? ((request) => verifyCommit(qa, request)),
    slots: settings.slots,
    resolving: resolvingOf(record.config, host.signal),
    secrets,
    commandFiles: commandFiles(record.config),
    strategy: record.config.merge.strategy,
    emit: () => undefined,
    fence: ownership.fence,
    trustedConfig: record.trustedConfig,
    narrate: host.narrate,
    signal: host.signal,
  };
}

export function poolOf(host: Pick<RunHost, "repository" | "now" | "narrate">, record: RunRecord): PoolContext {
  return {
    repository: host.repository,
    settings: record.config.pool,
    owner: processOwner(record.run),
    run: record.run,
    now: host.now,
    narrate: host.narrate,
  };
}
