import type { Outcome, RunEvent, Usage, Verdict } from "../domain/index.ts";
import type { RunLimits, TaskFacts } from "./run-facts.ts";

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
      | "slot-released"
      | "branch-deleted"
      | "branch-kept";
  }
>;

/** One task after one event of its own. */
export function applyToTask(task: TaskFacts, event: TaskEvent, at: string, limits: RunLimits, retries: number): TaskFacts {
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
      };
    }
    case "attempt-ended": {
      const usage = largerUsage(task.usage, event.usage);
      if (task.resolve !== null)
        return afterResolver({ ...task, usage, durationMs: task.durationMs + event.durationMs }, task.resolve, event.outcome, limits);
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
      return { ...task, slot: null, token: null, lastSlot: task.lastSlot ?? event.slot };
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
        leftOut: outcome.leftOut ?? [],
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
  const lastError = event.reason ?? `its work collides with ${against} in ${event.paths.join(", ")}`;
  // Where lines do not collide there is nothing to merge by hand.
  const steps = event.reason === undefined ? limits.onConflict : limits.onConflict.filter((step) => step !== "agent");
  const next = escalate({ ...task, verdict: null, lastError, conflictPaths: event.paths, resolverLeft: null }, event, steps);
  // git would merge it, so a packet of what collides would be empty: the person is told the reason alone.
  return event.reason !== undefined && next.status === "conflict" ? { ...next, conflictPaths: [] } : next;
}

/** The next of what is tried for a conflict, each once; then a person. `commit` collides with `base`. */
function escalate(task: TaskFacts, { commit, base }: { commit: string; base: string }, steps: RunLimits["onConflict"]): TaskFacts {
  const step = steps.find((one) => !task.tried.includes(one));
  const rerun = { from: task.base ?? base, to: commit, paths: task.conflictPaths };
  // On its old base it would collide again: should a person have it tried again, it begins anew as well.
  if (step === undefined) return { ...task, status: "conflict", resolve: null, rerun };
  const next: TaskFacts = { ...task, status: "pending_retry", tried: [...task.tried, step], resolve: null };
  if (step === "agent") return { ...next, resolve: { onto: base } };
  return { ...next, rerun };
}

/** A resolver agent's attempt costs no retry: what is of no use to the merge leaves the conflict as it was. */
function afterResolver(task: TaskFacts, { onto }: { onto: string }, outcome: Outcome, limits: RunLimits): TaskFacts {
  switch (outcome.kind) {
    case "ready":
      return { ...task, status: "ready_for_qa", commit: outcome.commit, resolve: null, failure: null, verdict: null, lastError: null };
    case "rate-limited":
      return { ...task, status: "pending_retry", rateLimited: task.rateLimited + 1 };
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
  if (event.how === "skip") return { ...task, status: "skipped", lastError: event.reason, endedAt: at };
  if (event.how === "commit" && event.commit !== null)
    return {
      ...task,
      status: "ready_for_qa",
      commit: event.commit,
      rerun: null,
      resolve: null,
      verdict: null,
      lastError: null,
      packet: null,
    };
  return { ...task, status: "pending_retry", resolve: null, failures: 0, rateLimited: 0, verdict: null, endedAt: null, failure: null };
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
