import { GraftworkError, type JournalLine, type Outcome, type Plan, type RunEvent, type Usage, type Verdict } from "../domain/index.ts";
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
    case "landing":
      return {
        ...facts,
        openLanding: { target: event.target, from: event.from, to: event.to, checkout: event.checkout, tasks: event.tasks },
      };
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
      return { ...changeAll(facts, waited, (task) => ({ ...task, status: "qa_approved" })), waiting: null, openLanding: null };
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
      return { ...change(facts, event.task, (task) => resolve(task, event, at)), ended: null, endedAt: null };
    default:
      return change(facts, event.task, (task) => applyToTask(task, event, at, limits, retryLimit(plan, event.task, limits)));
  }
}

type TaskEvent = Extract<
  RunEvent,
  {
    type:
      | "attempt-started"
      | "attempt-ended"
      | "verdict"
      | "conflict"
      | "packet"
      | "ejected"
      | "slot-released"
      | "branch-deleted"
      | "branch-kept";
  }
>;

function applyToTask(task: TaskFacts, event: TaskEvent, at: string, limits: RunLimits, retries: number): TaskFacts {
  switch (event.type) {
    case "attempt-started": {
      const { attempt, slot, token, branch, base } = event;
      const startedAt = task.startedAt ?? at;
      return { ...task, status: "in_progress", attempts: attempt, slot, token, branch, base, rerun: null, startedAt, packet: null };
    }
    case "attempt-ended": {
      const usage = largerUsage(task.usage, event.usage);
      const ended = { ...task, session: event.session ?? task.session, usage, durationMs: task.durationMs + event.durationMs };
      return afterOutcome(ended, event.outcome, retries, at);
    }
    case "verdict":
      return afterVerdict(task, event.verdict, retries, at);
    case "conflict":
      return afterConflict(task, event, limits);
    case "packet":
      return { ...task, packet: event.folder };
    case "ejected": {
      const ejected = { ...task, verdict: null, lastError: rejectionText(event.reason, event.excerpt) };
      return failed(ejected, "train-rejected", true, retries, at);
    }
    case "slot-released":
      return { ...task, slot: null, token: null };
    case "branch-deleted":
    case "branch-kept":
      return { ...task, branchSettled: true };
  }
}

/** A verdict on another commit than the task's is void. */
function afterVerdict(task: TaskFacts, verdict: Verdict, retries: number, at: string): TaskFacts {
  if (task.commit !== verdict.commit) return task;
  if (verdict.decision === "approved") return { ...task, status: "qa_approved", verdict, lastError: null };
  if (verdict.decision === "blocked") return { ...task, status: "qa_blocked", verdict, lastError: verdict.reason };
  const excerpt = verdict.checks.find((check) => check.state === "failed")?.excerpt;
  return failed({ ...task, verdict, lastError: rejectionText(verdict.reason, excerpt) }, "qa-rejected", true, retries, at);
}

function afterOutcome(task: TaskFacts, outcome: Outcome, retries: number, at: string): TaskFacts {
  switch (outcome.kind) {
    case "ready":
      return {
        ...task,
        status: "ready_for_qa",
        commit: outcome.commit,
        summary: outcome.summary,
        failure: null,
        verdict: null,
        lastError: null,
      };
    case "rate-limited":
      return { ...task, status: "pending_retry", rateLimited: task.rateLimited + 1, lastError: outcome.reason };
    case "interrupted":
      return { ...task, status: "pending_retry" };
    case "blocked":
      return { ...task, status: "conflict", lastError: outcome.reason };
    case "failed":
      return failed({ ...task, lastError: outcome.reason }, outcome.failure, outcome.retry, retries, at);
  }
}

function failed(task: TaskFacts, failure: TaskFacts["failure"], retry: boolean, retries: number, at: string): TaskFacts {
  const failures = task.failures + 1;
  if (retry && failures <= retries)
    return {
      ...task,
      failure,
      failures,
      status: failure === "qa-rejected" || failure === "train-rejected" ? "qa_rejected" : "pending_retry",
    };
  return { ...task, failure, failures, status: "failed", endedAt: at };
}

function afterConflict(task: TaskFacts, event: Extract<RunEvent, { type: "conflict" }>, limits: RunLimits): TaskFacts {
  const against = event.against.length === 0 ? "the target" : event.against.join(", ");
  const lastError = `its work collides with ${against} in ${event.paths.join(", ")}`;
  const common = { ...task, verdict: null, lastError, conflictPaths: event.paths };
  if (task.reruns < limits.reruns)
    return {
      ...common,
      status: "pending_retry",
      reruns: task.reruns + 1,
      rerun: { from: task.base ?? event.base, to: event.commit, paths: event.paths },
    };
  return { ...common, status: "conflict" };
}

function resolve(task: TaskFacts, event: Extract<RunEvent, { type: "resolved" }>, at: string): TaskFacts {
  if (task.status === "done") return task;
  if (event.how === "skip") return { ...task, status: "skipped", lastError: event.reason, endedAt: at };
  if (event.how === "commit" && event.commit !== null)
    return { ...task, status: "ready_for_qa", commit: event.commit, verdict: null, lastError: null, packet: null };
  return { ...task, status: "pending_retry", failures: 0, rateLimited: 0, verdict: null, endedAt: null, failure: null };
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

/** Clients report totals over a conversation: the larger figure is the newer one. */
function largerUsage(before: Usage | null, now: Usage | null): Usage | null {
  if (before === null || now === null) return now ?? before;
  return {
    inputTokens: Math.max(before.inputTokens, now.inputTokens),
    outputTokens: Math.max(before.outputTokens, now.outputTokens),
    costUsd: before.costUsd === null ? now.costUsd : Math.max(before.costUsd, now.costUsd ?? 0),
  };
}

function rejectionText(reason: string, excerpt: string | undefined): string {
  return excerpt === undefined || excerpt === "" ? reason : `${reason}\n${excerpt}`;
}
