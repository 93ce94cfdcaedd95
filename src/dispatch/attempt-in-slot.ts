import { join } from "node:path";
import { runAgent, successOf, withAllowedChecks } from "../agents/index.ts";
import { type AgentSpec, hideSecrets, type LeasedSlot, type Outcome, type Task } from "../domain/index.ts";
import { readRefs } from "../git/index.ts";
import { copiedSecrets, existingStore, leaseMarker, requireSlot, sweepLease, treeOfSlot } from "../pool/index.ts";
import { replaceFile } from "../state/index.ts";
import type { DispatchContext } from "./context.ts";
import { type Evidence, outcomeOf } from "./evidence.ts";
import type { RefsBefore } from "./follow-head.ts";
import { attemptRef } from "./pin-attempt.ts";
import { putTargetBack } from "./target-guard.ts";
import { changedSince, checkoutState } from "./tripwire.ts";

/** An attempt whose slot is ready for the agent. */
export type ReadyAttempt = {
  task: Task;
  attempt: number;
  spec: AgentSpec;
  leased: LeasedSlot;
  /** The commit at which the task's work began. */
  base: string;
  brief: string;
  /** As in `attempt-started`. */
  resolves?: string;
  resumeSession: string | null;
  /** Reads what the agent left; with `commit`, what it left uncommitted is committed. */
  look: (commit: boolean, refsBefore: RefsBefore) => Promise<Evidence>;
  /** Does what follows from the outcome, before the outcome is emitted. */
  settle: (outcome: Outcome, evidence: Evidence) => Promise<Outcome>;
};

/**
 * Runs an agent in its slot and judges what it left. Emits `attempt-started` before the agent's process exists, and
 * `attempt-ended` when all of its processes are gone. An agent that moved the target has failed, whatever it prints.
 */
export async function attemptInSlot(context: DispatchContext, ready: ReadyAttempt, begun: number): Promise<void> {
  const { repository, emit } = context;
  const { task, attempt, spec, leased, brief, resolves } = ready;
  const logFile = join(context.runFolder, "logs", task.id, `${attempt}.log`);
  const briefFile = join(context.runFolder, "briefs", task.id, `${attempt}.md`);
  replaceFile(briefFile, brief);
  emit({
    type: "attempt-started",
    task: task.id,
    attempt,
    slot: leased.id,
    token: leased.lease.token,
    branch: leased.lease.branch,
    base: ready.base,
    agent: spec.name,
    log: logFile,
    ...(resolves !== undefined && { resolves }),
  });
  const slot = treeOfSlot(requireSlot(existingStore(repository).read().state, leased.id));
  const [userFiles, refsBefore] = await Promise.all([checkoutState(repository), readRefs(repository)]);
  const secrets = copiedSecrets(context.pool);
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
    resumeSession: ready.resumeSession,
    timeoutMs: task.timeoutMs,
    signal: context.signal,
    hide: (text) => hideSecrets(text, secrets),
    onLine: (line) => context.onLine(task.id, line),
  });
  await sweepLease(leased);
  const claim = successOf(report);
  const { branch } = leased.lease;
  const moved = await putTargetBack(context, { slot, branch, refsBefore, keepAt: attemptRef(context, task, attempt) });
  const evidence = await ready.look(claim.kind === "claims-success", refsBefore);
  const outcome = await ready.settle(withMove(outcomeOf(claim, evidence, report), moved), evidence);
  if (moved !== null) emit({ type: "warning", task: task.id, text: moved });
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

/** Makes a failure of an outcome if the agent moved the target. One that was ended from outside is tried again anyway. */
function withMove(outcome: Outcome, moved: string | null): Outcome {
  if (moved === null || outcome.kind === "interrupted" || outcome.kind === "rate-limited") return outcome;
  return { kind: "failed", failure: "outside-slot", reason: moved, retry: true };
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
