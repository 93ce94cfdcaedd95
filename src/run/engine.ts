import { setTimeout as delay } from "node:timers/promises";
import { type Decision, GraftworkError, type JournalLine, type RunEvent, type Verify } from "../domain/index.ts";
import { attemptTask, type DispatchContext, settleInterrupted } from "../dispatch/index.ts";
import { dangerousConfig, type Person, readRef, type Repository, updateRefs } from "../git/index.ts";
import { type Candidate, mergeApproved, type MergeContext, writePacket } from "../merge/index.ts";
import type { PoolContext } from "../pool/index.ts";
import { releaseSlot } from "../pool/index.ts";
import { foldLine, progressView, type RunFacts, type TaskFacts, viewPaths, viewWriter, writeCheckpoint, writeYamlView } from "../session/index.ts";
import type { Journal } from "../state/index.ts";
import { type Job, jobKey, nextJobs, type Situation } from "./next-jobs.ts";
import type { Ownership } from "./ownership.ts";
import type { RunRecord } from "./run-folder.ts";

export type EngineContext = {
  repository: Repository;
  record: RunRecord;
  decision: Decision;
  ownership: Ownership;
  journal: Journal;
  pool: PoolContext;
  verify: Verify;
  person: Person;
  executorTemplate: string;
  /** After each event, with the facts before and after it. */
  onEvent: (line: JournalLine, before: RunFacts, after: RunFacts) => void;
  onLine: (task: string, line: string) => void;
  narrate: (line: string) => void;
  /** First pause after a rate limit; doubles with each further one of the same task. */
  rateLimitPauseMs: number;
  now: () => Date;
  signal: AbortSignal;
};

/** Why an attempt could not begin that is the task's own matter; anything else ends the session. */
const TASK_MATTERS = new Set(["SETUP_FAILED", "AGENT_UNKNOWN", "BRANCH_IN_USE", "CONFIG_INVALID", "SLOT_QUARANTINED", "RESCUE_FAILED"]);

/**
 * Does what `nextJobs` says until nothing is left for this session: one process, all jobs side by side. Returns the
 * facts at its end. An error that is no task's own matter ends the session after what is under way; the run can be
 * continued.
 */
export async function driveRun(context: EngineContext, start: RunFacts): Promise<RunFacts> {
  const engine = makeEngine(context, start);
  try {
    await engine.loop();
  } finally {
    await engine.views.flush();
  }
  return engine.facts();
}

function makeEngine(context: EngineContext, start: RunFacts) {
  const { record, decision, repository } = context;
  const { plan, config } = record;
  let facts = start;
  const paths = viewPaths(repository.root);
  const views = viewWriter(() => writeYamlView(paths.progress, progressView(plan, decision, facts)));
  const running = new Map<string, Promise<void>>();
  const resting = new Map<string, number>();
  const failures: unknown[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);

  const emit = (event: RunEvent): void => {
    const before = facts;
    const line = context.journal.append(event);
    facts = foldLine(facts, line, plan, record.limits);
    views.changed();
    context.onEvent(line, before, facts);
  };
  const taskOf = (id: string) => {
    const task = plan.tasks.find((one) => one.id === id);
    const known = facts.tasks.get(id);
    if (task === undefined || known === undefined) throw new Error(`no such task: ${id}`);
    return { task, facts: known };
  };
  const dispatch: DispatchContext = {
    repository,
    pool: context.pool,
    config,
    plan,
    run: record.run,
    runFolder: record.folder,
    executorTemplate: context.executorTemplate,
    emit,
    onLine: context.onLine,
    signal,
  };
  const merging: MergeContext = {
    repository,
    run: record.run,
    target: start.target,
    person: context.person,
    verify: context.verify,
    emit,
    fence: context.ownership.fence,
    trustedConfig: record.trustedConfig,
    narrate: context.narrate,
    signal,
  };

  const base = async (): Promise<string> => {
    const target = await readRef(repository, `refs/heads/${facts.target}`);
    if (target === undefined) throw new GraftworkError("REF_UNKNOWN", { message: `The target branch ${facts.target} is gone.`, because: "somebody deleted or renamed it.", try: "make it again and `graftwork continue`." });
    return facts.waiting !== null && target === facts.waiting.from ? facts.waiting.to : target;
  };

  const attempt = async (id: string): Promise<void> => {
    const { task, facts: known } = taskOf(id);
    const neighbours = plan.tasks.filter((other) => other.id !== id && running.has(`attempt ${other.id}`));
    try {
      await attemptTask(dispatch, task, known, await base(), neighbours);
    } catch (error) {
      if (!(error instanceof GraftworkError) || !TASK_MATTERS.has(error.code)) throw error;
      const outcome = { kind: "failed", failure: "not-started", reason: `${error.message} ${error.because}`, retry: false } as const;
      emit({ type: "attempt-ended", task: id, attempt: known.attempts, outcome, session: null, usage: null, durationMs: 0 });
    }
    await watchConfig(id);
    const after = taskOf(id);
    if (after.facts.status === "pending_retry" && after.facts.rateLimited > known.rateLimited) rest(task.agent ?? config.agents.default, after.facts);
  };

  /** All agents of a provider rest when one of them met its limit. */
  const rest = (agent: string, task: TaskFacts): void => {
    const pauseMs = Math.min(context.rateLimitPauseMs * 2 ** (task.rateLimited - 1), 15 * 60_000);
    const until = performance.now() + pauseMs;
    resting.set(agent, Math.max(until, resting.get(agent) ?? 0));
    emit({ type: "warning", task: task.id, text: `${agent} is rate-limited: its agents rest until ${new Date(context.now().getTime() + pauseMs).toISOString()}` });
  };

  let warnedConfig = false;
  const watchConfig = async (task: string): Promise<void> => {
    if (warnedConfig || (await dangerousConfig(repository)) === record.trustedConfig) return;
    warnedConfig = true;
    emit({ type: "warning", task, text: "configuration that can run programs was changed in .git/config while agents were at work; look at `git config --local --list` before landing" });
  };

  const verify = async (id: string): Promise<void> => {
    const { task, facts: known } = taskOf(id);
    if (known.commit === null) throw new Error(`${id} has no commit to verify`);
    const onto = await base();
    const verification = await context.verify({ label: task.id, tasks: [task.id], commit: known.commit, base: onto, signal, onProgress: (line) => context.onLine(id, line) });
    if (verification.decision === "conflict") emit({ type: "conflict", task: id, commit: known.commit, base: onto, paths: verification.paths, against: [] });
    else emit({ type: "verdict", task: id, verdict: verification });
  };

  const landAll = async (ids: readonly string[]): Promise<void> => {
    const wanted = new Set(ids);
    const candidates = plan.tasks.filter((task) => wanted.has(task.id)).flatMap((task): Candidate[] => {
      const known = taskOf(task.id).facts;
      return known.commit === null || known.branch === null ? [] : [{ task: task.id, title: task.title, branch: known.branch, commit: known.commit, dependsOn: task.dependsOn }];
    });
    const { waiting } = facts;
    const { result } = await mergeApproved(merging, inOrder(candidates), waiting === null ? null : { ...waiting, tasks: waiting.tasks });
    if (result.kind === "moved") {
      throw new GraftworkError("TARGET_MOVED", { message: `${facts.target} moved each time a merge for it was verified.`, because: "somebody else keeps committing to it.", try: "`graftwork continue` when it is quieter; nothing is lost." });
    }
  };

  const packet = async (id: string): Promise<void> => {
    const { task, facts: known } = taskOf(id);
    const folder = `${paths.conflicts}/${record.run}/${id}`;
    const written = await writePacket(repository, {
      folder,
      run: record.run,
      task: id,
      title: task.title,
      branch: known.branch ?? "",
      commit: known.conflictPaths.length === 0 ? null : known.commit,
      target: facts.target,
      onto: await base(),
      reason: known.lastError ?? "",
      tried: known.reruns > 0 ? [`its agent did it again on the target as it was then (${known.reruns} time${known.reruns === 1 ? "" : "s"})`] : [],
      now: context.now(),
    });
    if (written) emit({ type: "packet", task: id, folder });
    else emit({ type: "resolved", task: id, how: "commit", commit: known.commit, reason: "it merges by now" });
  };

  const release = async (id: string): Promise<void> => {
    const { facts: known } = taskOf(id);
    const { slot, token, status, landed } = known;
    if (slot === null) return;
    let rescue: string | null = null;
    try {
      rescue = (await releaseSlot(context.pool, { name: slot, ...(token === null ? {} : { token }) })).rescue?.id ?? null;
    } catch (error) {
      if (!(error instanceof GraftworkError)) throw error;
      emit({ type: "warning", task: id, text: `${slot} was not released cleanly: ${error.message} ${error.because}` });
    }
    emit({ type: "slot-released", task: id, slot, rescue });
    if (status === "done" && landed !== null && config.parallelization.autoCleanup) {
      const refused = await updateRefs(repository, [...context.ownership.fence, { ref: `refs/heads/${landed.branch}`, remove: true, old: landed.branchTip }], "merged");
      if (refused === undefined) emit({ type: "branch-deleted", branch: landed.branch, commit: landed.branchTip });
    }
  };

  const checkpoint = async (group: number, status: "complete" | "partial" | "failed"): Promise<void> => {
    // The checkpoint is the group's last word: it says `complete` of itself before the journal does.
    const begun = facts.groups.get(group);
    const shown: RunFacts = begun === undefined ? facts : { ...facts, groups: new Map(facts.groups).set(group, { ...begun, checkpoint: status }) };
    await writeCheckpoint(paths.memory, { group, status, plan, decision, facts: shown, now: context.now() });
    emit({ type: "checkpoint", group, status });
  };

  const execute = (job: Job): Promise<void> => {
    switch (job.kind) {
      case "start-group":
        return base().then((commit) => emit({ type: "group-started", group: job.group, base: commit }));
      case "settle-interrupted":
        return settleInterrupted(dispatch, taskOf(job.task).task, taskOf(job.task).facts);
      case "attempt":
        return attempt(job.task);
      case "verify":
        return verify(job.task);
      case "land":
        return landAll(job.tasks);
      case "packet":
        return packet(job.task);
      case "release":
        return release(job.task);
      case "checkpoint":
        return checkpoint(job.group, job.status);
    }
  };

  const situation = (): Situation => ({
    plan,
    decision,
    facts,
    running: new Set(running.keys()),
    schedule: config.schedule,
    verifications: config.qa.slots,
    resting: new Set([...resting].filter(([, until]) => until > performance.now()).map(([agent]) => agent)),
    defaultAgent: config.agents.default,
  });

  const startJob = (job: Job): void => {
    const key = jobKey(job);
    const done = execute(job)
      .catch((error: unknown) => {
        failures.push(error);
        stop.abort();
      })
      .finally(() => running.delete(key));
    running.set(key, done);
  };

  const loop = async (): Promise<void> => {
    for (;;) {
      if (!signal.aborted) for (const job of nextJobs(situation())) startJob(job);
      const wakes = [...resting.values()].filter((until) => until > performance.now());
      if (running.size === 0 && (wakes.length === 0 || signal.aborted)) break;
      const timer = wakes.length > 0 && !signal.aborted ? delay(Math.min(...wakes) - performance.now() + 1, undefined, { signal }).catch(() => undefined) : [];
      await Promise.race([...running.values(), ...[timer].flat()]);
    }
    const failure = failures.find((error) => !(error instanceof GraftworkError && error.code === "INTERRUPTED"));
    if (failure !== undefined) throw failure;
  };

  return { loop, views, facts: () => facts };
}

/** Tasks before those that depend on them, else as they are. */
function inOrder(candidates: readonly Candidate[]): Candidate[] {
  const left = [...candidates];
  const sorted: Candidate[] = [];
  while (left.length > 0) {
    const index = left.findIndex((one) => !one.dependsOn.some((id) => left.some((other) => other.task === id)));
    sorted.push(...left.splice(Math.max(0, index), 1));
  }
  return sorted;
}

