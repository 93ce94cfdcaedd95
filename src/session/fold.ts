import { GraftworkError, type JournalLine, type Plan, type RunEvent } from "../domain/index.ts";
import { applyToTask, resolveTask } from "./fold-task.ts";
import { freshTask, type RunFacts, type RunLimits, retryLimit, type TaskFacts } from "./run-facts.ts";

/**
 * The state of a run is a fold over what it said: this is the one place where a task's status changes. Same lines,
 * plan and limits, same facts. Throws JOURNAL_DAMAGED where the first line is not the run's start.
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
    target,
    base,
    mode,
    merge,
    startedAt: first.at,
    tasks: new Map(plan.tasks.map((task) => [task.id, freshTask(task.id)])),
    groups: new Map(),
    openLanding: null,
    waiting: null,
    landings: [],
    warnings: [],
    undone: false,
    ended: null,
    endedAt: null,
    lastAt: first.at,
    checkpointsThisSession: 0,
  };
  return lines.slice(1).reduce((facts, line) => foldLine(facts, line, plan, limits), start);
}

/** Facts after one more line; skips what depends on a failed task. */
export function foldLine(facts: RunFacts, line: JournalLine, plan: Plan, limits: RunLimits): RunFacts {
  const next = { ...apply(facts, line.event, line.at, plan, limits), lastAt: line.at };
  return next.tasks === facts.tasks ? next : { ...next, tasks: skipDependents(plan, next.tasks, line.at) };
}

/** Events of the whole run; those of one task are in `applyToTask`. */
function apply(facts: RunFacts, event: RunEvent, at: string, plan: Plan, limits: RunLimits): RunFacts {
  switch (event.type) {
    case "run-started":
      return facts;
    case "run-resumed":
      return { ...facts, mode: event.mode, ended: null, endedAt: null, checkpointsThisSession: 0, tasks: reopen(facts.tasks) };
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
      const done = changeAll(
        facts,
        tasks.map((one) => one.task),
        (task) => ({ ...task, status: "done", landed: tasks.find((one) => one.task === task.id) ?? null, endedAt: at, lastError: null }),
      );
      return {
        ...done,
        openLanding: null,
        waiting: null,
        landings: [...facts.landings, { from, to, tasks }],
        groups: markLanded(facts, to),
      };
    }
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
      return { ...facts, undone: true };
    case "run-ended":
      return { ...facts, ended: event.exit, endedAt: at };
    case "resolved":
      return { ...change(facts, event.task, (task) => resolveTask(task, event, at)), ended: null, endedAt: null };
    default:
      return change(facts, event.task, (task) => applyToTask(task, event, at, limits, retryLimit(plan, event.task, limits)));
  }
}

/** A resumed run asks QA again where only the environment was in the way. An attempt that was under way is looked at by dispatch. */
function reopen(tasks: RunFacts["tasks"]): RunFacts["tasks"] {
  return new Map([...tasks].map(([id, task]) => [id, task.status === "qa_blocked" ? { ...task, status: "ready_for_qa" as const } : task]));
}

/** What depends on a failed or skipped task cannot be done. */
function skipDependents(plan: Plan, tasks: RunFacts["tasks"], at: string): RunFacts["tasks"] {
  let result = tasks;
  for (const { id, dependsOn } of plan.tasks) {
    const task = result.get(id);
    if (task === undefined) continue;
    const lost = dependsOn.find((other) => ["failed", "skipped"].includes(result.get(other)?.status ?? ""));
    if (task.status === "pending" && lost !== undefined) {
      result = new Map(result).set(id, {
        ...task,
        status: "skipped",
        lastError: `it depends on ${lost}, which ${result.get(lost)?.status === "failed" ? "failed" : "was skipped"}`,
        endedAt: at,
      });
    } else if (
      task.status === "skipped" &&
      task.attempts === 0 &&
      lost === undefined &&
      task.lastError?.startsWith("it depends on") === true
    ) {
      // What it depends on is being tried again.
      result = new Map(result).set(id, { ...task, status: "pending", lastError: null, endedAt: null });
    }
  }
  return result;
}

function afterTrainVerdict(facts: RunFacts, event: Extract<RunEvent, { type: "train-verdict" }>): RunFacts {
  const { decision, reason } = event.verdict;
  if (decision === "approved") return facts;
  if (decision === "blocked") return changeAll(facts, event.tasks, (task) => ({ ...task, status: "qa_blocked", lastError: reason }));
  return changeAll(facts, event.tasks, (task) => (task.status === "merging" ? { ...task, status: "qa_approved" } : task));
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
