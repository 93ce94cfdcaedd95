import type { Outcome, RunEvent, Usage, Verdict } from "../domain/index.ts";
import type { Fallback, RunLimits, TaskFacts } from "./run-facts.ts";

/** Events that change one task and nothing else. */
export type TaskEvent = Extract<
  RunEvent,
  {
    type:
      | "attempt-started"
      | "attempt-ended"
      | "verdict"
      | "conflict"
      | "packet"
      | "ejected"
      | "second-look"
      | "taken-back"
      | "slot-released"
      | "branch-deleted"
      | "branch-kept";
  }
>;

/** What limits one task: its own retries, and the steps that are tried for a conflict. */
type TaskLimits = { retries: number; onConflict: RunLimits["onConflict"] };

/** One task after one event of its own. */
export function applyToTask(task: TaskFacts, event: TaskEvent, at: string, limits: TaskLimits): TaskFacts {
  switch (event.type) {
    case "attempt-started": {
      const { attempt, slot, token, branch, base, resolves } = event;
      const startedAt = task.startedAt ?? at;
      const resolve = resolves === undefined ? null : { onto: resolves };
      return {
        ...task,
        status: "in_progress",
        attempts: attempt,
        slot,
        token,
        // A resolver agent has a conversation of its own; in another slot the task's own cannot be resumed.
        ...(resolves === undefined && { lastSlot: slot, session: task.lastSlot === slot ? task.session : null }),
        branch,
        base,
        rerun: null,
        resolve,
        startedAt,
        packet: null,
        unready: 0,
      };
    }
    case "attempt-ended": {
      const usage = largerUsage(task.usage, event.usage);
      if (task.resolve !== null)
        return afterResolver({ ...task, usage, durationMs: task.durationMs + event.durationMs }, task.resolve, event.outcome, limits);
      const ended = { ...task, session: event.session ?? task.session, usage, durationMs: task.durationMs + event.durationMs };
      return afterOutcome(ended, event.outcome, limits, at);
    }
    case "verdict":
      return afterVerdict(task, event.verdict, limits, at);
    case "second-look":
      return { ...afterSecondLook(task, event, at), lookedAt: event.base };
    case "taken-back":
      return takenBack(task, event.reason);
    case "conflict":
      return afterConflict(task, event, limits);
    case "packet":
      return { ...task, packet: event.folder };
    case "ejected": {
      const lastError = rejectionText(event.reason, event.excerpt);
      if (event.blocked === true) return { ...task, status: "qa_blocked", lastError };
      const base = event.base ?? task.verdict?.base ?? "";
      return rejected({ ...task, verdict: null, lastError }, "train-rejected", base, limits, at);
    }
    case "slot-released":
      return { ...task, slot: null, token: null, lastSlot: task.lastSlot ?? event.slot };
    case "branch-deleted":
    case "branch-kept":
      return { ...task, branchSettled: true };
  }
}

/** A verdict on another commit than the task's is void. */
function afterVerdict(task: TaskFacts, verdict: Verdict, limits: TaskLimits, at: string): TaskFacts {
  if (task.commit !== verdict.commit) return task;
  if (verdict.decision === "approved") return { ...task, status: "qa_approved", verdict, rejected: null, lastError: null };
  if (verdict.decision === "blocked") return { ...task, status: "qa_blocked", verdict, lastError: verdict.reason };
  return rejected({ ...task, verdict, lastError: verdictText(verdict) }, "qa-rejected", verdict.base, limits, at);
}

/** A rejection by checks. Once no retry is left, the task waits for a second look, or its conflict for the next step. */
function rejected(task: TaskFacts, failure: "qa-rejected" | "train-rejected", base: string, limits: TaskLimits, at: string): TaskFacts {
  const next = { ...task, rejected: task.commit === null ? null : { commit: task.commit, base } };
  return awaitSecondLook(failed(next, failure, true, limits, at), base);
}

function awaitSecondLook(task: TaskFacts, base: string): TaskFacts {
  return task.status === "failed" ? { ...task, status: "qa_rejected", secondLook: { base }, endedAt: null } : task;
}

/** A rejection stands only if it holds on the last target too. */
function afterSecondLook(task: TaskFacts, event: Extract<RunEvent, { type: "second-look" }>, at: string): TaskFacts {
  const { verdict, base, reason } = event;
  if (task.secondLook === null) return task;
  const both = (now: string): string => `${task.lastError ?? ""}\nlooked at again on ${base.slice(0, 12)}: ${now}`;
  if (verdict === null)
    return { ...task, status: "failed", secondLook: null, endedAt: at, ...(reason !== undefined && { lastError: both(reason) }) };
  if (verdict.decision === "approved")
    return { ...task, status: "qa_approved", verdict, rejected: null, secondLook: null, lastError: null };
  if (verdict.decision === "blocked") return { ...task, status: "qa_blocked", verdict, secondLook: null, lastError: verdict.reason };
  return { ...task, verdict, secondLook: { base }, lastError: both(verdict.reason) };
}

/** Only a person knows whether it is to be done again: then its agent begins on the target as it is. */
function takenBack(task: TaskFacts, reason: string): TaskFacts {
  const rerun = task.commit === null || task.base === null ? task.rerun : { from: task.base, to: task.commit, paths: [] };
  return {
    ...task,
    status: "conflict",
    personFor: "decision",
    landed: null,
    verdict: null,
    packet: null,
    conflictPaths: [],
    lastError: reason,
    rerun,
    endedAt: null,
  };
}

function afterOutcome(task: TaskFacts, outcome: Outcome, limits: TaskLimits, at: string): TaskFacts {
  switch (outcome.kind) {
    case "ready":
      return {
        ...task,
        status: "ready_for_qa",
        commit: outcome.commit,
        summary: outcome.summary,
        leftOut: outcome.leftOut ?? [],
        failure: null,
        rejected: null,
        verdict: null,
        lastError: null,
      };
    case "unready":
      return { ...task, status: task.attempts === 0 ? "pending" : "pending_retry", unready: task.unready + 1, lastError: outcome.reason };
    case "rate-limited":
      return { ...task, status: "pending_retry", rateLimited: task.rateLimited + 1, lastError: outcome.reason };
    case "interrupted":
      return { ...task, status: "pending_retry" };
    case "blocked": {
      const rerun = outcome.startOver === true ? startedOver(task) : task.rerun;
      return { ...task, status: "conflict", personFor: "answer", lastError: outcome.reason, rerun };
    }
    case "failed":
      return afterFailure(task, outcome, limits, at);
  }
}

/** Returns a rerun at the target without hints from this attempt: its work holds what must not be passed on. */
function startedOver({ base, rerun }: TaskFacts): TaskFacts["rerun"] {
  const from = base ?? rerun?.from;
  return from === undefined ? rerun : { from, to: from, paths: [] };
}

/** A failed attempt. If it is the last one, checks alone stand against the commit of before: it gets a second look. */
function afterFailure(task: TaskFacts, outcome: Extract<Outcome, { kind: "failed" }>, limits: TaskLimits, at: string): TaskFacts {
  const { failure, reason, retry } = outcome;
  const rejection = task.rejected !== null && task.rejected.commit === task.commit ? task.rejected : null;
  // The agent was told of the rejection and changed nothing: it stands by its commit.
  if (rejection !== null && failure === "did-nothing")
    return awaitSecondLook(failed(task, "qa-rejected", false, limits, at), rejection.base);
  const next = failed({ ...task, lastError: reason }, failure, retry, limits, at);
  if (rejection === null || !retry || next.status !== "failed") return next;
  const lastError = task.verdict === null ? reason : `${verdictText(task.verdict)}\nits last attempt after that: ${reason}`;
  return awaitSecondLook({ ...next, lastError }, rejection.base);
}

function failed(task: TaskFacts, failure: TaskFacts["failure"], retry: boolean, limits: TaskLimits, at: string): TaskFacts {
  const failures = task.failures + 1;
  const next = { ...task, failure, failures };
  if (retry && failures <= limits.retries) return { ...next, status: isRejection(failure) ? "qa_rejected" : "pending_retry" };
  return task.fallback === null ? { ...next, status: "failed", endedAt: at } : fallBack(next, task.fallback, limits);
}

const isRejection = (failure: TaskFacts["failure"]): boolean => failure === "qa-rejected" || failure === "train-rejected";

/** A rerun that failed leaves the approved commit of before, whose conflict goes on to the next step. */
function fallBack(task: TaskFacts, fallback: Fallback, limits: TaskLimits): TaskFacts {
  const lastError = `${fallback.reason}; done again, it failed: ${task.lastError?.split("\n")[0] ?? ""}`;
  const { commit, base, paths, onto } = fallback;
  const before = { ...task, commit, base, conflictPaths: paths, lastError, rejected: null, verdict: null, fallback: null };
  return escalate(before, { commit, base: onto }, limits.onConflict);
}

function afterConflict(task: TaskFacts, event: Extract<RunEvent, { type: "conflict" }>, limits: TaskLimits): TaskFacts {
  const against = event.against.length === 0 ? "the target" : event.against.join(", ");
  const lastError = event.reason ?? `its work collides with ${against} in ${event.paths.join(", ")}`;
  // If no lines collide, there is nothing that an agent could merge.
  const agents = event.reason === undefined ? limits.onConflict : limits.onConflict.filter((step) => step !== "agent");
  const steps = event.person === true ? [] : agents;
  const personFor = event.reason === undefined ? "merge" : "decision";
  const next = escalate({ ...task, verdict: null, lastError, conflictPaths: event.paths, resolverLeft: null, personFor }, event, steps);
  return event.startOver === true ? { ...next, rerun: startedOver(next) } : next;
}

/** The next of what is tried for a conflict, each once; then a person. `commit` collides with `base`. */
function escalate(task: TaskFacts, { commit, base }: { commit: string; base: string }, steps: RunLimits["onConflict"]): TaskFacts {
  const step = steps.find((one) => !task.tried.includes(one));
  const rerun = { from: task.base ?? base, to: commit, paths: task.conflictPaths };
  // On its old base it would collide again, so a retry begins at the target.
  if (step === undefined) return { ...task, status: "conflict", resolve: null, rerun };
  const next: TaskFacts = { ...task, status: "pending_retry", tried: [...task.tried, step], resolve: null };
  if (step === "agent") return { ...next, resolve: { onto: base } };
  const fallback = { commit, base: task.base, onto: base, paths: task.conflictPaths, reason: task.lastError ?? "" };
  return { ...next, rerun, fallback };
}

/** A resolver agent's attempt costs no retry: what is of no use to the merge leaves the conflict as it was. */
function afterResolver(task: TaskFacts, { onto }: { onto: string }, outcome: Outcome, limits: TaskLimits): TaskFacts {
  switch (outcome.kind) {
    case "ready":
      return { ...task, status: "ready_for_qa", commit: outcome.commit, resolve: null, failure: null, verdict: null, lastError: null };
    case "rate-limited":
      return { ...task, status: "pending_retry", rateLimited: task.rateLimited + 1 };
    case "unready":
      return { ...task, status: "pending_retry", unready: task.unready + 1 };
    case "interrupted":
      return { ...task, status: "pending_retry" };
    case "failed":
    case "blocked":
      return escalate({ ...task, resolverLeft: outcome.reason }, { commit: task.commit ?? "", base: onto }, limits.onConflict);
  }
}

/** After a person's decision. */
export function resolveTask(task: TaskFacts, event: Extract<RunEvent, { type: "resolved" }>, at: string): TaskFacts {
  if (task.status === "done") return task;
  if (event.how === "skip")
    return { ...task, status: "skipped", skippedFor: null, asked: null, secondLook: null, lastError: event.reason, endedAt: at };
  if (event.how === "commit" && event.commit !== null)
    return {
      ...task,
      status: "ready_for_qa",
      commit: event.commit,
      decided: event.onto === undefined ? null : { commit: event.commit, onto: event.onto },
      rerun: null,
      resolve: null,
      fallback: null,
      verdict: null,
      lastError: null,
      packet: null,
    };
  const cleared = {
    resolve: null,
    fallback: null,
    rejected: null,
    secondLook: null,
    skippedFor: null,
    asked: null,
    verdict: null,
    failure: null,
  };
  return {
    ...task,
    ...cleared,
    status: task.attempts === 0 ? "pending" : "pending_retry",
    failures: 0,
    rateLimited: 0,
    unready: 0,
    endedAt: null,
  };
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

function verdictText(verdict: Verdict): string {
  return rejectionText(verdict.reason, verdict.checks.find((check) => check.state === "failed")?.excerpt);
}

function rejectionText(reason: string, excerpt: string | undefined): string {
  return excerpt === undefined || excerpt === "" ? reason : `${reason}\n${excerpt}`;
}
