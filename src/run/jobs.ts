import { attemptResolution, attemptTask, neighbourOf, settleInterrupted, settleResolution } from "../dispatch/index.ts";
import { GraftworkError, humanDuration, type Outcome, type Task, type Verdict } from "../domain/index.ts";
import { dangerousConfig } from "../git/index.ts";
import { existingStore, freeSlots } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";
import { baseNow, dispatchOf, factsOf, type JobContext, taskOf } from "./job-context.ts";
import { landAll, secondLook, verify } from "./judge-jobs.ts";
import { agentsOf, type Job, nextAgent } from "./next-jobs.ts";
import { resolverJob } from "./resolve-conflict.ts";
import { checkpoint, packet, release } from "./tidy-jobs.ts";

/** Errors that are no task's own matter: they end the session. */
const ENDS_SESSION = new Set([
  "INTERRUPTED",
  "POOL_EXHAUSTED",
  "POOL_MISSING",
  "REF_UNKNOWN",
  "STATE_DAMAGED",
  "STATE_NEWER",
  "STATE_UNWRITABLE",
  "JOURNAL_DAMAGED",
]);
/** The machine's trouble: a slot cannot be made ready now, and may be in a moment. */
const MACHINE = new Set(["SETUP_FAILED", "DISK_LOW"]);
const LONGEST_REST_MS = 15 * 60_000;

/** Does one job and says in events what came of it. */
export async function doJob(context: JobContext, job: Job): Promise<void> {
  switch (job.kind) {
    case "start-group":
      context.emit({ type: "group-started", group: job.group, base: await baseNow(context) });
      return;
    case "settle-interrupted":
      return endingAttempt(context, job.task, () => settle(context, job.task));
    case "attempt":
      return attempt(context, job.task);
    case "verify":
      return verify(context, job.task).catch((error: unknown) => sayBlocked(context, job.task, error));
    case "land":
      return landAll(context, job.tasks);
    case "second-look":
      return secondLook(context, job.tasks);
    case "packet":
      return packet(context, job.task);
    case "release":
      return release(context, job.task);
    case "checkpoint":
      return checkpoint(context, job.group, job.status);
  }
}

async function attempt(context: JobContext, id: string): Promise<void> {
  const task = taskOf(context, id);
  const before = factsOf(context, id);
  sayWhoIsWaitedFor(context, id);
  await endingAttempt(context, id, () =>
    before.resolve === null ? attemptOwn(context, task, before) : resolveByAgent(context, task, before),
  );
  await watchConfig(context, id);
  const after = factsOf(context, id);
  if (after.status === "pending_retry" && after.rateLimited > before.rateLimited)
    restAfter(context, nextAgent(agentsOf(context.record.config), task, before), after);
  if (after.unready > before.unready) context.pause(performance.now() + context.readyPauseMs * 2 ** before.unready);
}

function sayWhoIsWaitedFor({ repository, record, narrate, slotWaitMs }: JobContext, id: string): void {
  const { idle, mine, others } = freeSlots(existingStore(repository).read().state, record.run);
  if (idle + mine > 0 || others.length === 0) return;
  const holders = others.map(({ slot, task, run }) =>
    task === null ? `${slot} is out of use` : `${slot} is held by ${task} of run ${run}`,
  );
  narrate(`${id} waits for a slot, at most ${humanDuration(slotWaitMs)}: ${holders.join(", ")}`);
}

/** Has an error of one attempt end that attempt, with its cause: one task's trouble is one task's. */
async function endingAttempt(context: JobContext, id: string, work: () => Promise<void>): Promise<void> {
  const { attempts } = factsOf(context, id);
  try {
    await work();
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome === null) throw error;
    const attempt = Math.max(attempts, factsOf(context, id).attempts);
    context.emit({ type: "attempt-ended", task: id, attempt, outcome, session: null, usage: null, durationMs: 0 });
  }
}

function outcomeOf(error: unknown): Outcome | null {
  if (!(error instanceof GraftworkError)) return { kind: "failed", failure: "not-started", reason: String(error), retry: false };
  if (ENDS_SESSION.has(error.code)) return null;
  const reason = `${error.message} ${error.because}`;
  if (MACHINE.has(error.code)) return { kind: "unready", reason };
  if (error.code === "FENCED") return { kind: "failed", failure: "lease-lost", reason, retry: true };
  return { kind: "failed", failure: "not-started", reason, retry: false };
}

/** A commit that could not be judged at all: nothing is said about the work. */
async function sayBlocked(context: JobContext, id: string, error: unknown): Promise<void> {
  if (error instanceof GraftworkError && (ENDS_SESSION.has(error.code) || error.code === "FENCED")) throw error;
  const { commit } = factsOf(context, id);
  if (commit === null) throw error;
  const reason = error instanceof GraftworkError ? `${error.message} ${error.because}` : String(error);
  const about = { label: id, commit, base: await baseNow(context), tree: "", key: "", checks: [], install: "none" } as const;
  const verdict: Verdict = { ...about, decision: "blocked", reason, at: context.now().toISOString() };
  context.emit({ type: "verdict", task: id, verdict });
}

async function attemptOwn(context: JobContext, task: Task, before: TaskFacts): Promise<void> {
  const isBeside = (id: string): boolean => id !== task.id && context.atWork(id) && factsOf(context, id).resolve === null;
  const beside = context.facts().plan.tasks.filter(({ id }) => isBeside(id));
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
