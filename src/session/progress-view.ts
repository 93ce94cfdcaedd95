import type { Decision, Plan } from "../domain/index.ts";
import { type RunFacts, shownStatus, type TaskFacts } from "./run-facts.ts";

/** `.claude/auto-progress.yaml` as data: the source system's fields, then our own. */
export function progressView(plan: Plan, decision: Decision, facts: RunFacts): object {
  const all = [...facts.tasks.values()];
  const groups = decision.groups.filter((group) => facts.groups.has(group.number));
  const current = groups.find((group) => facts.groups.get(group.number)?.checkpoint === null) ?? groups.at(-1);
  return {
    schema: 1,
    session_id: facts.run,
    started_at: facts.startedAt,
    status: statusWord(facts, all),
    plan_file: plan.name,
    target: facts.target,
    current_task: all.find((task) => task.status === "in_progress")?.id ?? null,
    auto_verify: true,
    parallel_group: current?.number ?? null,
    parallel_groups: Object.fromEntries(
      decision.groups.map((group) => [
        `group_${group.number}`,
        { tasks: group.tasks, status: facts.groups.get(group.number)?.checkpoint ?? null },
      ]),
    ),
    completed_at: facts.endedAt,
    tasks: Object.fromEntries(all.map((task) => [task.id, taskView(plan, decision, facts, task)])),
  };
}

function taskView(plan: Plan, decision: Decision, facts: RunFacts, task: TaskFacts): object {
  return {
    name: plan.tasks.find((one) => one.id === task.id)?.title ?? task.id,
    status: shownStatus(facts, task),
    branch: task.branch,
    worktree: task.slot,
    group: decision.groups.find((group) => group.tasks.includes(task.id))?.number ?? null,
    iterations: task.attempts,
    retry_count: task.failures,
    last_error: task.lastError,
    qa_verified: task.verdict?.decision === "approved",
    qa_timestamp: task.verdict?.at ?? null,
    qa_feedback: task.verdict?.decision === "rejected" ? task.verdict.reason : null,
    completed_at: task.landed === null ? null : task.endedAt,
    commit: task.landed?.merge ?? task.commit,
  };
}

function statusWord(facts: RunFacts, all: readonly TaskFacts[]): string {
  if (facts.undone) return "undone";
  if (facts.ended === null) return "in_progress";
  if (all.every((task) => task.status === "done")) return "done";
  return all.some((task) => task.status === "failed") ? "failed" : "in_progress";
}
