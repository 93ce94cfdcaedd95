import {
  attemptResolution,
  attemptTask,
  type DispatchContext,
  neighbourOf,
  settleInterrupted,
  settleResolution,
} from "../dispatch/index.ts";
import { GraftworkError, type RunEvent, type Task } from "../domain/index.ts";
import { dangerousConfig, listWorktrees, type Oid, readRef, updateRefs } from "../git/index.ts";
import { type Candidate, type MergeContext, mergeApproved, orderCandidates, verifyResolved, writePacket } from "../merge/index.ts";
import { existingStore, findSlot, releaseSlot } from "../pool/index.ts";
import { type RunFacts, type TaskFacts, viewPaths, writeCheckpoint } from "../session/index.ts";
import type { EngineContext } from "./engine-context.ts";
import { agentsOf, type GroupStatus, type Job, nextAgent } from "./next-jobs.ts";
import { resolverJob } from "./resolve-conflict.ts";

/** What doing a job needs: the session's context, and the facts as they are at that moment. */
export type JobContext = EngineContext & {
  facts: () => RunFacts;
  emit: (event: RunEvent) => void;
  /** True while an agent works on the task. */
  atWork: (task: string) => boolean;
  /** No agent of that name starts before `until` (monotonic milliseconds). */
  rest: (agent: string, until: number) => void;
};

/** Errors that keep one task from beginning and no other; anything else ends the session. */
const TASK_MATTERS = new Set([
  "SETUP_FAILED",
  "AGENT_UNKNOWN",
  "BRANCH_IN_USE",
  "CONFIG_INVALID",
  "SLOT_QUARANTINED",
  "RESCUE_FAILED",
  "LEASE_HELD",
]);
const LONGEST_REST_MS = 15 * 60_000;

/** Does one job and says in events what came of it. */
export async function doJob(context: JobContext, job: Job): Promise<void> {
  switch (job.kind) {
    case "start-group":
      context.emit({ type: "group-started", group: job.group, base: await baseNow(context) });
      return;
    case "settle-interrupted":
      return settle(context, job.task);
    case "attempt":
      return attempt(context, job.task);
    case "verify":
      return verify(context, job.task);
    case "land":
      return landAll(context, job.tasks);
    case "packet":
      return packet(context, job.task);
    case "release":
      return release(context, job.task);
    case "checkpoint":
      return checkpoint(context, job.group, job.status);
  }
}

/** Where new work begins: the target, or the verified commit that waits for it. */
async function baseNow(context: JobContext): Promise<Oid> {
  const { target, waiting } = context.facts();
  const at = await readRef(context.repository, `refs/heads/${target}`);
  if (at === undefined)
    throw new GraftworkError("REF_UNKNOWN", {
      message: `The target branch ${target} is gone.`,
      because: "somebody deleted or renamed it.",
      try: "make it again and `graftwork continue`.",
    });
  return waiting !== null && at === waiting.from ? waiting.to : at;
}

async function attempt(context: JobContext, id: string): Promise<void> {
  const task = taskOf(context, id);
  const before = factsOf(context, id);
  try {
    await (before.resolve === null ? attemptOwn(context, task, before) : resolveByAgent(context, task, before));
  } catch (error) {
    if (!(error instanceof GraftworkError) || !TASK_MATTERS.has(error.code)) throw error;
    const outcome = { kind: "failed", failure: "not-started", reason: `${error.message} ${error.because}`, retry: false } as const;
    context.emit({ type: "attempt-ended", task: id, attempt: before.attempts, outcome, session: null, usage: null, durationMs: 0 });
  }
  await watchConfig(context, id);
  const after = factsOf(context, id);
  if (after.status === "pending_retry" && after.rateLimited > before.rateLimited)
    restAfter(context, nextAgent(agentsOf(context.record.config), task, before), after);
}

async function attemptOwn(context: JobContext, task: Task, before: TaskFacts): Promise<void> {
  const isBeside = (id: string): boolean => id !== task.id && context.atWork(id) && factsOf(context, id).resolve === null;
  const beside = context.record.plan.tasks.filter(({ id }) => isBeside(id));
  const neighbours = await Promise.all(beside.map((other) => neighbourOf(context.repository, other, factsOf(context, other.id))));
  await attemptTask(dispatchOf(context), task, before, await baseNow(context), neighbours);
}

async function resolveByAgent(context: JobContext, task: Task, before: TaskFacts): Promise<void> {
  const { id, commit } = before;
  if (commit === null) throw new Error(`${id} has no commit to merge`);
  const job = await resolverJob(context, context.facts(), task, commit, await baseNow(context));
  const { resolverAgent } = agentsOf(context.record.config);
  if (job.kind === "work") return attemptResolution(dispatchOf(context), { task, facts: before, work: job, agent: resolverAgent });
  if (job.kind === "merges") return context.emit({ type: "resolved", task: id, how: "commit", commit, reason: "it merges by now" });
  const outcome = { kind: "failed", failure: "not-started", reason: `no agent was asked: ${job.why}`, retry: false } as const;
  context.emit({ type: "attempt-ended", task: id, attempt: before.attempts, outcome, session: null, usage: null, durationMs: 0 });
}

async function settle(context: JobContext, id: string): Promise<void> {
  const [task, known] = [taskOf(context, id), factsOf(context, id)];
  const job =
    known.resolve === null || known.commit === null
      ? undefined
      : await resolverJob(context, context.facts(), task, known.commit, known.resolve.onto);
  if (job?.kind !== "work") return settleInterrupted(dispatchOf(context), task, known);
  const { resolverAgent } = agentsOf(context.record.config);
  await settleResolution(dispatchOf(context), { task, facts: known, work: job, agent: resolverAgent });
}

/** All agents of a provider rest when one of them met its limit. */
function restAfter(context: JobContext, agent: string, task: TaskFacts): void {
  const pauseMs = Math.min(context.rateLimitPauseMs * 2 ** (task.rateLimited - 1), LONGEST_REST_MS);
  context.rest(agent, performance.now() + pauseMs);
  context.emit({
    type: "warning",
    task: task.id,
    text: `${agent} is rate-limited: its agents rest until ${new Date(context.now().getTime() + pauseMs).toISOString()}`,
  });
}

const CONFIG_WARNING =
  "configuration that can run programs was changed in .git/config while agents were at work; look at `git config --local --list` before landing";

async function watchConfig(context: JobContext, task: string): Promise<void> {
  if (context.facts().warnings.some((text) => text.endsWith(CONFIG_WARNING))) return;
  if ((await dangerousConfig(context.repository)) !== context.record.trustedConfig)
    context.emit({ type: "warning", task, text: CONFIG_WARNING });
}

async function verify(context: JobContext, id: string): Promise<void> {
  const { commit } = factsOf(context, id);
  if (commit === null) throw new Error(`${id} has no commit to verify`);
  const base = await baseNow(context);
  const verification = await verifyResolved(context.merging)({
    label: id,
    tasks: [id],
    commit,
    base,
    signal: context.signal,
    onProgress: (line) => context.onLine(id, line),
  });
  if (verification.decision === "conflict")
    context.emit({ type: "conflict", task: id, commit, base, paths: verification.paths, against: [] });
  else context.emit({ type: "verdict", task: id, verdict: verification });
}

async function landAll(context: JobContext, ids: readonly string[]): Promise<void> {
  const candidates = context.record.plan.tasks
    .filter((task) => ids.includes(task.id))
    .flatMap((task): Candidate[] => {
      const { commit, branch, base } = factsOf(context, task.id);
      return commit === null || branch === null
        ? []
        : [{ task: task.id, title: task.title, branch, commit, dependsOn: task.dependsOn, ...(base !== null && { base }) }];
    });
  const merging = mergingOf(context);
  const ordered = candidates.length < 2 ? candidates : (await orderCandidates(merging, await baseNow(context), candidates)).order;
  const { result } = await mergeApproved(merging, ordered, context.facts().waiting);
  if (result.kind !== "moved") return;
  const { target } = context.facts();
  throw new GraftworkError("TARGET_MOVED", {
    message: `${target} moved each time a merge for it was verified.`,
    because: "somebody else keeps committing to it.",
    try: "`graftwork continue` when it is quieter; nothing is lost.",
  });
}

async function packet(context: JobContext, id: string): Promise<void> {
  const { run } = context.record;
  const known = factsOf(context, id);
  const folder = `${viewPaths(context.repository.root).conflicts}/${run}/${id}`;
  const written = await writePacket(context.repository, {
    folder,
    run,
    task: id,
    title: taskOf(context, id).title,
    branch: known.branch ?? "",
    commit: known.conflictPaths.length === 0 ? null : known.commit,
    target: context.facts().target,
    onto: await baseNow(context),
    reason: known.lastError ?? "",
    resolving: context.merging.resolving,
    tried: triedText(known),
    now: context.now(),
  });
  if (written) context.emit({ type: "packet", task: id, folder });
  else context.emit({ type: "resolved", task: id, how: "commit", commit: known.commit, reason: "it merges by now" });
}

function triedText({ tried, resolverLeft }: TaskFacts): string[] {
  return tried.flatMap((step) => {
    if (step === "rerun") return ["its agent did it again on the target as it was then"];
    return [resolverLeft === null ? "an agent resolved a conflict before this one" : `an agent was asked to resolve it: ${resolverLeft}`];
  });
}

async function release(context: JobContext, id: string): Promise<void> {
  await releaseHeld(context, id);
  const { landed, branchSettled } = factsOf(context, id);
  if (landed === null || branchSettled) return;
  const { branch, branchTip } = landed;
  const keep = (reason: string): void => context.emit({ type: "branch-kept", task: id, branch, reason });
  if (!context.record.config.parallelization.autoCleanup) return keep("parallelization.auto_cleanup is off");
  const place = (await listWorktrees(context.repository)).find((worktree) => worktree.branch === `refs/heads/${branch}`);
  if (place !== undefined) return keep(`it is checked out in ${place.path}`);
  const refused = await updateRefs(
    context.repository,
    [...context.ownership.fence, { ref: `refs/heads/${branch}`, remove: true, old: branchTip }],
    "merged",
  );
  if (refused === undefined) context.emit({ type: "branch-deleted", task: id, branch, commit: branchTip });
  else keep(refused);
}

async function releaseHeld(context: JobContext, id: string): Promise<void> {
  const { slot, token } = factsOf(context, id);
  if (slot === null) return;
  let rescue: string | null = null;
  try {
    // A killed session may have released it without saying so; the slot may be another task's by now.
    const held = findSlot(existingStore(context.repository).read().state, slot)?.lease?.token === token;
    if (held) rescue = (await releaseSlot(context.pool, { name: slot, ...(token === null ? {} : { token }) })).rescue?.id ?? null;
  } catch (error) {
    if (!(error instanceof GraftworkError)) throw error;
    context.emit({ type: "warning", task: id, text: `${slot} was not released cleanly: ${error.message} ${error.because}` });
  }
  context.emit({ type: "slot-released", task: id, slot, rescue });
}

async function checkpoint(context: JobContext, group: number, status: GroupStatus): Promise<void> {
  const facts = context.facts();
  const begun = facts.groups.get(group);
  // The file is the group's last word: it counts the group as done before the journal does.
  const shown: RunFacts =
    begun === undefined ? facts : { ...facts, groups: new Map(facts.groups).set(group, { ...begun, checkpoint: status }) };
  await writeCheckpoint(viewPaths(context.repository.root).memory, {
    group,
    status,
    plan: context.record.plan,
    decision: context.decision,
    facts: shown,
    now: context.now(),
  });
  context.emit({ type: "checkpoint", group, status });
}

function dispatchOf(context: JobContext): DispatchContext {
  const { repository, pool, record, templates, checksFor, emit, onLine, signal } = context;
  return {
    repository,
    pool,
    config: record.config,
    plan: record.plan,
    run: record.run,
    runFolder: record.folder,
    templates,
    checksFor,
    emit,
    onLine,
    signal,
  };
}

function mergingOf(context: JobContext): MergeContext {
  return { ...context.merging, target: context.facts().target, emit: context.emit };
}

function taskOf(context: JobContext, id: string): Task {
  const task = context.record.plan.tasks.find((one) => one.id === id);
  if (task === undefined) throw new Error(`no such task: ${id}`);
  return task;
}

function factsOf(context: JobContext, id: string): TaskFacts {
  const facts = context.facts().tasks.get(id);
  if (facts === undefined) throw new Error(`no such task: ${id}`);
  return facts;
}
