import type { DispatchContext } from "../dispatch/index.ts";
import type { RunEvent, Task } from "../domain/index.ts";
import type { Oid } from "../git/index.ts";
import type { MergeContext } from "../merge/index.ts";
import type { RunFacts, TaskFacts } from "../session/index.ts";
import { deliveredBy } from "./candidates.ts";
import type { EngineContext } from "./engine-context.ts";
import { lookAtTarget, type TargetWatch } from "./look-at-target.ts";

/** What doing a job needs: the session's context, and the facts as they are at that moment. */
export type JobContext = EngineContext & {
  facts: () => RunFacts;
  emit: (event: RunEvent) => void;
  /** True while an agent works on the task. */
  atWork: (task: string) => boolean;
  /** No agent of that name starts before `until` (monotonic milliseconds). */
  rest: (agent: string, until: number) => void;
  /** No agent starts before `until` (monotonic milliseconds). */
  pause: (until: number) => void;
  lookedAt: TargetWatch["lookedAt"];
};

/** Where new work begins: the target, or the verified commit that waits for it. */
export function baseNow(context: JobContext): Promise<Oid> {
  return lookAtTarget(context);
}

export function mergingOf(context: JobContext): MergeContext {
  const facts = context.facts();
  const { target, seen, verifyAlone } = facts;
  const { merging, emit } = context;
  return { ...merging, target, emit, seen, delivered: deliveredBy(facts), slots: verifyAlone ? 1 : merging.slots };
}

/** Tasks of the run that the target holds already. */
export function landedTasks(facts: RunFacts): string[] {
  return [...facts.tasks.values()].flatMap(({ id, status }) => (status === "done" ? [id] : []));
}

export function dispatchOf(context: JobContext): DispatchContext {
  const { repository, pool, record, templates, checksFor, emit, onLine, signal, slotWaitMs, facts } = context;
  return {
    repository,
    pool,
    config: record.config,
    plan: facts().plan,
    run: record.run,
    runFolder: record.folder,
    templates,
    checksFor,
    emit,
    onLine,
    signal,
    slotWaitMs,
    target: facts().target,
    approved: () => ownCommitsOf(facts()),
  };
}

/** Commits that the target may move to: of tasks, of what landed, and of what is about to. */
function ownCommitsOf({ tasks, landings, openLanding, waiting }: RunFacts): string[] {
  const ofTasks = [...tasks.values()].flatMap(({ commit, landed }) => [commit, landed?.merge]);
  const ofLandings = [...landings, openLanding, waiting].map((one) => one?.to);
  return [...ofTasks, ...ofLandings].filter((one) => one != null);
}

export function taskOf(context: JobContext, id: string): Task {
  const task = context.facts().plan.tasks.find((one) => one.id === id);
  if (task === undefined) throw new Error(`no such task: ${id}`);
  return task;
}

export function factsOf(context: JobContext, id: string): TaskFacts {
  const facts = context.facts().tasks.get(id);
  if (facts === undefined) throw new Error(`no such task: ${id}`);
  return facts;
}
