import type { Plan } from "../domain/index.ts";
import type { TaskFacts, TaskStatus } from "./run-facts.ts";

const LOST: ReadonlySet<TaskStatus> = new Set(["failed", "skipped"]);
/** What goes back with a lost task. An attempt under way ends first. */
const GOES_BACK: ReadonlySet<TaskStatus> = new Set([
  "pending",
  "pending_retry",
  "ready_for_qa",
  "qa_approved",
  "qa_rejected",
  "qa_blocked",
  "merging",
  "conflict",
]);

/**
 * Skips what depends on a failed or skipped task, at any distance and in any order of the plan. A task that was skipped
 * for such a one comes back when that one is tried again: work that it had made is judged again, and a person who was
 * asked for an answer or a decision is asked still.
 */
export function settleDependents(plan: Plan, tasks: ReadonlyMap<string, TaskFacts>, at: string): ReadonlyMap<string, TaskFacts> {
  let result = tasks;
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    for (const { id, dependsOn } of plan.tasks) {
      const task = result.get(id);
      if (task === undefined) continue;
      const lost = dependsOn.find((other) => LOST.has(result.get(other)?.status ?? "pending"));
      const next = lost === undefined ? comeBack(task) : goBack(task, lost, result.get(lost)?.status, at);
      if (next === task) continue;
      result = new Map(result).set(id, next);
      isSettled = false;
    }
  }
  return result;
}

function goBack(task: TaskFacts, lost: string, status: TaskStatus | undefined, at: string): TaskFacts {
  if (!GOES_BACK.has(task.status)) return task;
  const lastError = `it depends on ${lost}, which ${status === "failed" ? "failed" : "was skipped"}`;
  const asked = task.status === "conflict" && task.personFor !== "merge" ? task.lastError : null;
  return { ...task, status: "skipped", skippedFor: lost, asked, lastError, endedAt: at };
}

function comeBack(task: TaskFacts): TaskFacts {
  if (task.status !== "skipped" || task.skippedFor === null) return task;
  const back = { ...task, skippedFor: null, asked: null, secondLook: null, lastError: task.asked, endedAt: null };
  if (task.asked !== null) return { ...back, status: "conflict" };
  const status = task.commit !== null ? "ready_for_qa" : task.attempts > 0 ? "pending_retry" : "pending";
  return { ...back, status };
}
