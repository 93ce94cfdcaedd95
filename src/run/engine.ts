import { setTimeout as delay } from "node:timers/promises";
import { GraftworkError, type RunEvent } from "../domain/index.ts";
import { foldLine, progressView, type RunFacts, viewPaths, viewWriter, writeYamlView } from "../session/index.ts";
import type { EngineContext } from "./engine-context.ts";
import { doJob, type JobContext } from "./jobs.ts";
import { agentsOf, type Job, jobKey, nextJobs, type Situation } from "./next-jobs.ts";

/**
 * Does what `nextJobs` says until nothing is left for this session: one process, all jobs side by side. Returns the
 * facts at its end. An error that is no task's own matter ends the session after what is under way; the run can be
 * continued. `ending` gives the run's last word, where it is at its end.
 */
export async function driveRun(context: EngineContext, start: RunFacts, ending: (facts: RunFacts) => RunEvent | null): Promise<RunFacts> {
  const { record, decision, repository } = context;
  let facts = start;
  const views = viewWriter(() => writeYamlView(viewPaths(repository.root).progress, progressView(record.plan, decision, facts)));
  const emit = (event: RunEvent): void => {
    const before = facts;
    const line = context.journal.append(event);
    facts = foldLine(facts, line, record.plan, record.limits);
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
  const running = new Map<string, Promise<void>>();
  const resting = new Map<string, number>();
  const failures: Error[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const jobs: JobContext = {
    ...context,
    signal,
    facts,
    emit,
    atWork: (task) => running.has(`attempt ${task}`),
    rest: (agent, until) => resting.set(agent, Math.max(until, resting.get(agent) ?? 0)),
  };
  const begin = (job: Job): void => {
    const key = jobKey(job);
    const done = doJob(jobs, job)
      .catch((error: unknown) => {
        failures.push(error instanceof Error ? error : new Error(String(error)));
        stop.abort();
      })
      .finally(() => running.delete(key));
    running.set(key, done);
  };
  for (;;) {
    if (!signal.aborted) for (const job of nextJobs(situationOf(context, facts(), running, resting))) begin(job);
    const wakes = signal.aborted ? [] : [...resting.values()].filter((until) => until > performance.now());
    if (running.size === 0 && wakes.length === 0) break;
    const wake = wakes.map((until) => delay(until - performance.now() + 1, undefined, { signal, ref: true }).catch(() => undefined));
    await Promise.race([...running.values(), ...wake]);
  }
  const failure = failures.find((error) => !(error instanceof GraftworkError && error.code === "INTERRUPTED"));
  if (failure !== undefined) throw failure;
}

function situationOf(
  context: EngineContext,
  facts: RunFacts,
  running: ReadonlyMap<string, unknown>,
  resting: ReadonlyMap<string, number>,
): Situation {
  const { plan, config } = context.record;
  return {
    plan,
    decision: context.decision,
    facts,
    running: new Set(running.keys()),
    schedule: config.schedule,
    verifications: config.qa.slots,
    resting: new Set([...resting].filter(([, until]) => until > performance.now()).map(([agent]) => agent)),
    ...agentsOf(config),
  };
}
