import { setTimeout as delay } from "node:timers/promises";
import { GraftworkError, type RunEvent } from "../domain/index.ts";
import { existingStore, freeSlots } from "../pool/index.ts";
import { foldLine, progressView, type RunFacts, viewPaths, viewWriter, writeYamlView } from "../session/index.ts";
import type { EngineContext } from "./engine-context.ts";
import type { JobContext } from "./job-context.ts";
import { doJob } from "./jobs.ts";
import { agentsOf, type Job, jobKey, nextJobs, type Situation } from "./next-jobs.ts";

/**
 * Does what `nextJobs` says until nothing is left for this session: one process, all jobs side by side. Returns the
 * facts at its end. An error that is no task's own matter ends the session after what is under way; the run can be
 * continued. `ending` gives the run's last word, where it is at its end.
 */
export async function driveRun(context: EngineContext, start: RunFacts, ending: (facts: RunFacts) => RunEvent | null): Promise<RunFacts> {
  const { record, decision, repository } = context;
  let facts = start;
  const views = viewWriter(() => writeYamlView(viewPaths(repository.root).progress, progressView(facts.plan, decision, facts)));
  const emit = (event: RunEvent): void => {
    const before = facts;
    const line = context.journal.append(event);
    facts = foldLine(facts, line, record.limits);
    views.changed();
    context.onEvent(line, before, facts);
  };
  try {
    await loop(context, () => facts, emit);
    const last = ending(facts);
    if (last !== null) emit(last);
  } finally {
    views.changed();
    await views.flush();
  }
  return facts;
}

async function loop(context: EngineContext, facts: () => RunFacts, emit: (event: RunEvent) => void): Promise<void> {
  const running = new Map<string, { job: Job; done: Promise<void> }>();
  const resting = new Map<string, number>();
  let pausedUntil = 0;
  const failures: Error[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const jobs: JobContext = {
    ...context,
    signal,
    facts,
    emit,
    lookedAt: {},
    atWork: (task) => running.has(`attempt ${task}`),
    rest: (agent, until) => resting.set(agent, Math.max(until, resting.get(agent) ?? 0)),
    pause: (until) => (pausedUntil = Math.max(until, pausedUntil)),
  };
  const begin = (job: Job): void => {
    const key = jobKey(job);
    const done = doJob(jobs, job)
      .catch((error: unknown) => {
        failures.push(error instanceof Error ? error : new Error(String(error)));
        stop.abort();
      })
      .finally(() => running.delete(key));
    running.set(key, { job, done });
  };
  for (;;) {
    const now = performance.now();
    const situation = (): Situation => ({
      decision: context.decision,
      facts: facts(),
      running: [...running.values()].map(({ job }) => job),
      schedule: context.record.config.schedule,
      verifications: context.record.config.qa.slots,
      freeSlots: slotsLeft(
        context,
        [...running.values()].map(({ job }) => job),
      ),
      paused: pausedUntil > now,
      resting: new Set([...resting].filter(([, until]) => until > now).map(([agent]) => agent)),
      ...agentsOf(context.record.config),
    });
    if (!signal.aborted) for (const job of nextJobs(situation())) begin(job);
    // A pause that nothing waits for does not hold up the end.
    const isAwaited = running.size > 0 || nextJobs({ ...situation(), paused: false, resting: new Set() }).length > 0;
    const wakes = signal.aborted || !isAwaited ? [] : [...resting.values(), pausedUntil].filter((until) => until > now);
    if (running.size === 0 && wakes.length === 0) break;
    const wake = wakes.map((until) => delay(until - now + 1, undefined, { signal, ref: true }).catch(() => undefined));
    await Promise.race([...[...running.values()].map(({ done }) => done), ...wake]);
  }
  const failure = failures.find((error) => !(error instanceof GraftworkError && error.code === "INTERRUPTED"));
  if (failure !== undefined) throw failure;
}

/** Idle slots, without those that attempts under way are about to take. */
function slotsLeft({ repository, record }: EngineContext, running: readonly Job[]): number {
  const { state } = existingStore(repository).read();
  const hasSlot = (task: string): boolean => state.slots.some(({ lease }) => lease?.task === task && lease.run === record.run);
  const coming = running.filter((job) => job.kind === "attempt" && !hasSlot(job.task)).length;
  return freeSlots(state, record.run).idle - coming;
}
