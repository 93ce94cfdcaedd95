import { join } from "node:path";
import { buildBrief, runAgent, successOf, withAllowedChecks } from "../agents/index.ts";
import {
  type AgentSpec,
  type Check,
  type Config,
  GraftworkError,
  type LeasedSlot,
  type Plan,
  type RunEvent,
  type Task,
} from "../domain/index.ts";
import { patchBetween, type Repository, updateRefs } from "../git/index.ts";
import {
  acquireSlot,
  copyMatcher,
  existingStore,
  leaseMarker,
  type PoolContext,
  requireSlot,
  restartLease,
  sweepLease,
  treeOfSlot,
} from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";
import { replaceFile } from "../state/index.ts";
import { type Evidence, outcomeOf } from "./evidence.ts";
import { lookAtSlot } from "./look-at-slot.ts";
import type { Neighbour } from "./neighbour.ts";
import { changedSince, checkoutState } from "./tripwire.ts";

export type DispatchContext = {
  repository: Repository;
  pool: PoolContext;
  config: Config;
  plan: Plan;
  run: string;
  /** Folder of the run: logs and briefs go below it. */
  runFolder: string;
  /** The checks that QA will judge a task by; they go into the brief and the agent's permissions. */
  checksFor: (task: Task) => readonly Check[];
  /** Text of the executor's brief template. */
  executorTemplate: string;
  emit: (event: RunEvent) => void;
  /** One cleaned line of an agent's output, for progress. */
  onLine: (task: string, line: string) => void;
  signal: AbortSignal;
};

const HINT_BYTES = 40_000;

/**
 * One attempt of one task: lease, brief, agent, evidence. Says `attempt-started` before the agent's process exists
 * and `attempt-ended` when all of its processes are gone. `base` is the target as it stands, for a new branch.
 */
export async function attemptTask(
  context: DispatchContext,
  task: Task,
  facts: TaskFacts,
  base: string,
  neighbours: readonly Neighbour[],
): Promise<void> {
  const { repository, emit } = context;
  const attempt = facts.attempts + 1;
  const spec = agentOf(context, task);
  const begun = performance.now();
  const leased = await leaseFor(context, task, facts, base);
  const { lease } = leased;
  const slot = treeOfSlot(requireSlot(existingStore(repository).read().state, leased.id));
  const logFile = join(context.runFolder, "logs", task.id, `${attempt}.log`);
  const briefFile = join(context.runFolder, "briefs", task.id, `${attempt}.md`);
  const brief = buildBrief({
    template: context.executorTemplate,
    task,
    attempt,
    slotPath: leased.path,
    branch: lease.branch,
    checks: context.checksFor(task),
    files: task.files,
    neighbours,
    conflicts: facts.conflictPaths,
    lastFailure: facts.lastError === null ? null : splitError(facts.lastError),
    hint: facts.rerun === null ? null : await patchBetween(repository, facts.rerun.from, facts.rerun.to, HINT_BYTES),
  });
  replaceFile(briefFile, brief);
  emit({
    type: "attempt-started",
    task: task.id,
    attempt,
    slot: leased.id,
    token: lease.token,
    branch: lease.branch,
    base: lease.base,
    agent: spec.name,
    log: logFile,
  });
  const userFiles = await checkoutState(repository);
  const report = await runAgent({
    spec: withAllowedChecks(spec, context.checksFor(task)),
    cwd: leased.path,
    brief,
    briefFile,
    task: task.id,
    logFile,
    logMaxBytes: spec.outputMaxBytes,
    environment: environmentOf(context, task, spec, leased, attempt),
    parentEnv: repository.parentEnv,
    resumeSession: facts.rerun === null ? facts.session : null,
    timeoutMs: task.timeoutMs,
    signal: context.signal,
    onLine: (line) => context.onLine(task.id, line),
  });
  await sweepLease(leased);
  const claim = successOf(report);
  const evidence = await lookAtSlot(repository, {
    task,
    slot,
    branch: lease.branch,
    base: lease.base,
    before: facts.rerun === null ? facts.commit : null,
    isCopied: copyMatcher(context.pool),
    commit: claim.kind === "claims-success",
  });
  const outcome = outcomeOf(claim, evidence, report);
  if (outcome.kind === "ready") await pinAttempt(context, task, attempt, outcome.commit);
  const strayed = changedSince(userFiles, await checkoutState(repository));
  if (strayed.length > 0)
    emit({
      type: "warning",
      task: task.id,
      text: `files changed in your checkout while its agent was at work: ${strayed.slice(0, 5).join(", ")}`,
    });
  for (const text of evidence.notes) emit({ type: "warning", task: task.id, text });
  emit({
    type: "attempt-ended",
    task: task.id,
    attempt,
    outcome,
    session: report.session,
    usage: report.usage,
    durationMs: performance.now() - begun,
  });
}

/**
 * An attempt whose coordinator died: what still runs is ended. Committed work is kept and judged as it is; without
 * any, the attempt is begun anew from a clean slot (unsaved work is rescued).
 */
export async function settleInterrupted(context: DispatchContext, task: Task, facts: TaskFacts): Promise<void> {
  const { repository, emit } = context;
  const record = existingStore(repository)
    .read()
    .state.slots.find((slot) => slot.id === facts.slot);
  const mine = record !== undefined && record.lease?.token === facts.token && record.lease.run === context.run;
  if (record?.lease != null && mine) await sweepLease({ id: record.id, path: record.path, lease: record.lease });
  const evidence: Evidence | undefined =
    record !== undefined && mine && facts.branch !== null && facts.base !== null
      ? await lookAtSlot(repository, {
          task,
          slot: treeOfSlot(record),
          branch: facts.branch,
          base: facts.base,
          before: facts.commit,
          isCopied: copyMatcher(context.pool),
          commit: false,
        })
      : undefined;
  const found = evidence === undefined ? undefined : outcomeOf({ kind: "claims-success" }, evidence, { lastWords: "" });
  if (found?.kind === "ready") {
    await pinAttempt(context, task, facts.attempts, found.commit);
    emit({
      type: "attempt-ended",
      task: task.id,
      attempt: facts.attempts,
      outcome: { ...found, notes: ["the coordinator died; what the agent had committed is judged"] },
      session: null,
      usage: null,
      durationMs: 0,
    });
    return;
  }
  if (record !== undefined && mine && facts.base !== null) {
    const leased = await acquireSlot(context.pool, { task: task.id });
    await restartLease(context.pool, { slot: leased.id, token: leased.lease.token, to: evidence?.tip ?? facts.base, keepTipAt: null });
  }
  emit({
    type: "attempt-ended",
    task: task.id,
    attempt: facts.attempts,
    outcome: { kind: "interrupted", reason: "the coordinator died while the agent was at work" },
    session: null,
    usage: null,
    durationMs: 0,
  });
}

async function leaseFor(context: DispatchContext, task: Task, facts: TaskFacts, base: string): Promise<LeasedSlot> {
  const leased = await acquireSlot(context.pool, { task: task.id, base });
  if (facts.rerun === null) return leased;
  const keepTipAt = `refs/graftwork/attempts/${context.run}/${task.id}/${facts.attempts}`;
  await restartLease(context.pool, { slot: leased.id, token: leased.lease.token, to: base, keepTipAt });
  return { ...leased, lease: { ...leased.lease, base } };
}

/** What tells the agent, and any process it starts, whose work this is. */
function environmentOf(context: DispatchContext, task: Task, spec: AgentSpec, leased: LeasedSlot, attempt: number): Record<string, string> {
  const { lease } = leased;
  return {
    ...context.config.pool.env,
    ...spec.setEnv,
    GRAFTWORK_TASK_ID: task.id,
    GRAFTWORK_RUN: context.run,
    GRAFTWORK_SLOT: leased.id,
    GRAFTWORK_SLOT_PATH: leased.path,
    GRAFTWORK_BRANCH: lease.branch,
    GRAFTWORK_BASE: lease.base,
    GRAFTWORK_ATTEMPT: String(attempt),
    GRAFTWORK_LEASE: leaseMarker(leased.path, lease.token),
    ...(lease.portBase === null ? {} : { GRAFTWORK_PORT_BASE: String(lease.portBase) }),
    CLAUDE_CODE_TASK_LIST_ID: context.run,
  };
}

/** What QA and merging need later is kept by a ref from now on. */
async function pinAttempt(context: DispatchContext, task: Task, attempt: number, commit: string): Promise<void> {
  await updateRefs(
    context.repository,
    [{ ref: `refs/graftwork/ready/${context.run}/${task.id}`, set: commit }],
    `attempt ${attempt} of ${task.id}`,
  );
}

export function agentOf(context: Pick<DispatchContext, "config">, task: Task): AgentSpec {
  const name = task.agent ?? context.config.agents.default;
  const spec = context.config.agents.byName[name];
  if (spec !== undefined) return spec;
  throw new GraftworkError("AGENT_UNKNOWN", {
    message: `Task ${task.id} names the agent ${JSON.stringify(name)}, which is not configured.`,
    because: `configured are ${Object.keys(context.config.agents.byName).join(", ")}.`,
    try: `add \`agents.${name}.command\` to .claude/auto-context.yaml, or name another agent in the plan.`,
  });
}

/** The plan's checks, then the task's own. */
export function checksOf(plan: Plan, task: Task): readonly Check[] {
  return [...plan.verification, ...task.verification];
}

function splitError(text: string): { reason: string; excerpt: string } {
  const end = text.indexOf("\n");
  return end < 0 ? { reason: text, excerpt: "" } : { reason: text.slice(0, end), excerpt: text.slice(end + 1) };
}
