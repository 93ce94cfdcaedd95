import { GraftworkError, type JournalLine, type LandedTask, type Plan, type RunEvent, type Verdict } from "../domain/index.ts";
import { settleDependents } from "./dependents.ts";
import { applyToTask, resolveTask, type TaskEvent } from "./fold-task.ts";
import { freshTask, READY_TRIES, type RunFacts, type RunLimits, retryLimit, type TaskFacts } from "./run-facts.ts";

/**
 * The state of a run is a fold over what it said: this is the one place where a task's status changes. Same lines,
 * plan and limits, same facts. Throws JOURNAL_DAMAGED if the first line is not the run's start.
 */
export function foldRun(lines: readonly JournalLine[], plan: Plan, limits: RunLimits): RunFacts {
  const first = lines[0];
  if (first?.event.type !== "run-started") {
    throw new GraftworkError("JOURNAL_DAMAGED", {
      message: "The run's journal does not begin with the run's start.",
      because: lines.length === 0 ? "it is empty: the run died before it said anything." : `it begins with ${first?.event.type}.`,
      try: "begin a new run with `graftwork run`; nothing was done in this one.",
    });
  }
  const { run, target, base, mode, merge } = first.event;
  const start: RunFacts = {
    run,
    plan,
    target,
    base,
    seen: [base],
    waited: [],
    mode,
    merge,
    landOnly: null,
    startedAt: first.at,
    tasks: new Map(plan.tasks.map((task) => [task.id, freshTask(task.id)])),
    groups: new Map(),
    openLanding: null,
    waiting: null,
    landings: [],
    warnings: [],
    verifyAlone: false,
    environment: null,
    undone: false,
    ended: null,
    endedAt: null,
    lastAt: first.at,
    checkpointsThisSession: 0,
  };
  return lines.slice(1).reduce((facts, line) => foldLine(facts, line, limits), start);
}

/** Facts after one more line. What depends on a task that is lost goes back with it. */
export function foldLine(facts: RunFacts, line: JournalLine, limits: RunLimits): RunFacts {
  const next = {
    ...apply(facts, line.event, line.at, limits),
    ...(REOPENING.has(line.event.type) && { ended: null, endedAt: null }),
    lastAt: line.at,
    seen: seenWith(facts, line.event),
    waited: line.event.type === "landing-waits" ? [...facts.waited, line.event.to] : facts.waited,
  };
  return next.tasks === facts.tasks ? next : { ...next, tasks: settleDependents(next.plan, next.tasks, line.at) };
}

/** Somebody goes on, or a person is asked or answers: a run at its end opens again. */
const REOPENING: ReadonlySet<RunEvent["type"]> = new Set(["run-resumed", "conflict", "taken-back", "resolved"]);

/** Where the target is, if the event says it. Work may also begin on a landing that waits. */
function targetOf({ waited }: RunFacts, event: RunEvent): string | undefined {
  if (event.type === "landed") return event.to;
  if (event.type === "landing") return event.from;
  if (event.type === "taken-back" || event.type === "merged-elsewhere") return event.at;
  const base = baseIn(event);
  return base === undefined || waited.includes(base) ? undefined : base;
}

function baseIn(event: RunEvent): string | undefined {
  if (event.type === "group-started" || event.type === "train") return event.base;
  // A later attempt may go on from where the first one began.
  if (event.type === "attempt-started" && event.attempt === 1) return event.base;
  if (event.type === "packet") return event.onto;
  return event.type === "verdict" ? event.verdict.base : undefined;
}

function seenWith(facts: RunFacts, event: RunEvent): readonly string[] {
  const at = targetOf(facts, event);
  return at === undefined || at === facts.seen.at(-1) ? facts.seen : [...facts.seen.filter((one) => one !== at), at];
}

/** Events of the whole run; those of one task are in `applyToTask`. */
function apply(facts: RunFacts, event: RunEvent, at: string, limits: RunLimits): RunFacts {
  switch (event.type) {
    case "run-started":
      return facts;
    case "run-resumed":
      return {
        ...facts,
        mode: event.mode,
        landOnly: event.land ?? null,
        checkpointsThisSession: 0,
        environment: null,
        tasks: event.land === undefined ? reopen(facts.tasks) : facts.tasks,
      };
    case "replanned":
      return replan(facts, event.plan);
    case "group-started": {
      const groups = new Map(facts.groups).set(event.group, { base: event.base, checkpoint: null, startedAt: at, landedTo: null });
      return { ...facts, groups };
    }
    case "train":
      return changeAll(
        facts,
        event.tasks.map((one) => one.task),
        (task) => ({ ...task, status: "merging" }),
      );
    case "train-verdict":
      return afterTrainVerdict(facts, event);
    case "landing": {
      const { type: _, ...openLanding } = event;
      return { ...facts, openLanding };
    }
    case "landed": {
      const { from, to, tasks } = event;
      return {
        ...finish(facts, tasks, at),
        openLanding: null,
        waiting: null,
        landings: [...facts.landings, { from, to, tasks }],
        groups: markLanded(facts, to),
      };
    }
    case "merged-elsewhere":
      return finish(facts, event.tasks, at);
    case "landing-waits": {
      const { from, to, tasks, reason, command } = event;
      return {
        ...changeAll(
          facts,
          tasks.map((one) => one.task),
          (task) => ({ ...task, status: "merging" }),
        ),
        openLanding: null,
        waiting: { from, to, tasks, reason, command },
      };
    }
    case "landing-void": {
      const waited = [...(facts.waiting?.tasks ?? []), ...(facts.openLanding?.tasks ?? [])].map((one) => one.task);
      // To be landed again before anything that collided with it goes on.
      return { ...changeAll(facts, waited, (task) => ({ ...task, status: "merging" })), waiting: null, openLanding: null };
    }
    case "checkpoint": {
      const group = facts.groups.get(event.group);
      if (group === undefined) return facts;
      return {
        ...facts,
        checkpointsThisSession: facts.checkpointsThisSession + 1,
        groups: new Map(facts.groups).set(event.group, { ...group, checkpoint: event.status }),
      };
    }
    case "warning":
      return { ...facts, warnings: [...facts.warnings, event.task === null ? event.text : `${event.task}: ${event.text}`] };
    case "undone":
      return { ...facts, undone: true, waiting: null };
    case "run-ended":
      return { ...facts, ended: event.exit, endedAt: at };
    case "resolved":
      return change(facts, event.task, (task) => resolveTask(task, event, at));
    case "verdict":
    case "second-look":
      return noteOverlap(toTask(facts, event, at, limits), event.verdict);
    case "attempt-ended": {
      const next = toTask(facts, event, at, limits);
      const unready = next.tasks.get(event.task)?.unready ?? 0;
      return unready >= READY_TRIES && event.outcome.kind === "unready" ? { ...next, environment: event.outcome.reason } : next;
    }
    default:
      return toTask(facts, event, at, limits);
  }
}

function toTask(facts: RunFacts, event: TaskEvent, at: string, limits: RunLimits): RunFacts {
  const retries = retryLimit(facts.plan, event.task, limits);
  return change(facts, event.task, (task) => applyToTask(task, event, at, { ...limits, retries }));
}

/** Tasks that the target holds. */
function finish(facts: RunFacts, tasks: readonly LandedTask[], at: string): RunFacts {
  return changeAll(
    facts,
    tasks.map((one) => one.task),
    (task) => ({
      ...task,
      status: "done",
      landed: tasks.find((one) => one.task === task.id) ?? null,
      branchSettled: false,
      endedAt: at,
      lastError: null,
      secondLook: null,
      fallback: null,
      skippedFor: null,
      asked: null,
    }),
  );
}

const DISTURBED = "a check failed beside another verification and passed alone: from here on one verification runs at a time";

function noteOverlap(facts: RunFacts, verdict: Verdict | null): RunFacts {
  if (verdict?.overlapped !== true || facts.verifyAlone) return facts;
  return { ...facts, verifyAlone: true, warnings: [...facts.warnings, DISTURBED] };
}

/** The new plan counts from here on. If it asks for other checks, what was approved by the old ones is judged again. */
function replan(facts: RunFacts, plan: Plan): RunFacts {
  const known = facts.plan;
  const checksOf = (of: Plan, id: string): string =>
    JSON.stringify([of.verification, of.tasks.find((task) => task.id === id)?.verification ?? []]);
  let isStale = false;
  const tasks = plan.tasks.map((planned): [string, TaskFacts] => {
    const task = facts.tasks.get(planned.id) ?? freshTask(planned.id);
    const isJudged = ["qa_approved", "qa_blocked", "merging"].includes(task.status);
    if (!isJudged || checksOf(known, task.id) === checksOf(plan, task.id)) return [task.id, task];
    isStale ||= task.status === "merging";
    return [task.id, { ...task, status: "ready_for_qa", verdict: null }];
  });
  const isVoid = isStale && facts.openLanding === null;
  return { ...facts, plan, tasks: new Map(tasks), waiting: isVoid ? null : facts.waiting };
}

/** A resumed run asks QA again where only the environment was in the way. An attempt that was under way is looked at by dispatch. */
function reopen(tasks: RunFacts["tasks"]): RunFacts["tasks"] {
  return new Map([...tasks].map(([id, task]) => [id, task.status === "qa_blocked" ? { ...task, status: "ready_for_qa" as const } : task]));
}

/** Red or blocked: who is to blame is ejected by name; the others are as approved as before. */
function afterTrainVerdict(facts: RunFacts, { verdict, tasks }: Extract<RunEvent, { type: "train-verdict" }>): RunFacts {
  const noted = noteOverlap(facts, verdict);
  if (verdict.decision === "approved") return noted;
  return changeAll(noted, tasks, (task) => (task.status === "merging" ? { ...task, status: "qa_approved" } : task));
}

function markLanded(facts: RunFacts, to: string): RunFacts["groups"] {
  const last = Math.max(0, ...facts.groups.keys());
  const group = facts.groups.get(last);
  return group === undefined ? facts.groups : new Map(facts.groups).set(last, { ...group, landedTo: to });
}

function change(facts: RunFacts, id: string, by: (task: TaskFacts) => TaskFacts): RunFacts {
  const task = facts.tasks.get(id);
  return task === undefined ? facts : { ...facts, tasks: new Map(facts.tasks).set(id, by(task)) };
}

function changeAll(facts: RunFacts, ids: readonly string[], by: (task: TaskFacts) => TaskFacts): RunFacts {
  return ids.reduce((before, id) => change(before, id, by), facts);
}
