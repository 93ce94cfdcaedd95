import { type Decision, EXIT, type ExitCode, type Group } from "../domain/index.ts";
import { topologicalOrder } from "../plan/index.ts";
import { awaitsCheckout, isAvailable, isSettled, type RunFacts, type TaskFacts } from "../session/index.ts";

/** Tasks that this session can do no more for. */
export type Settled = ReadonlySet<string>;

/** Returns the tasks that this session can do no more for, or for one that they depend on. */
export function settledTasks(facts: RunFacts): Settled {
  return settle(facts, (task) => isSettledAlone(facts, task));
}

/** As `settledTasks`, and those that wait for a second look, with what depends on them. */
export function tasksAtRest(facts: RunFacts): Settled {
  return settle(facts, (task) => task.secondLook !== null || isSettledAlone(facts, task));
}

function settle(facts: RunFacts, isSettledItself: (task: TaskFacts) => boolean): Settled {
  const settled = new Set<string>();
  for (const { id, dependsOn } of topologicalOrder(facts.plan.tasks)) {
    const task = facts.tasks.get(id);
    if (task === undefined) continue;
    const waits = task.status !== "in_progress" && dependsOn.some((other) => settled.has(other) && !isAvailable(facts, other));
    if (waits || isSettledItself(task)) settled.add(id);
  }
  return settled;
}

function isSettledAlone(facts: RunFacts, task: TaskFacts): boolean {
  if (isSettled(task.status) || awaitsCheckout(facts, task.id)) return true;
  const isApproved = task.status === "qa_approved" || task.status === "merging";
  if (facts.landOnly !== null) return !(isApproved && facts.landOnly.includes(task.id));
  if (isApproved) return !facts.merge;
  const needsAgent =
    task.status === "pending" || task.status === "pending_retry" || (task.status === "qa_rejected" && task.secondLook === null);
  return needsAgent && facts.environment !== null;
}

/** True if a group has not begun and nothing in it can begin before a person decides on something else. */
export function isBlocked(facts: RunFacts, group: Group, settled: Settled): boolean {
  const isOpen = group.tasks.some((id) => facts.tasks.get(id)?.status === "pending");
  return !facts.groups.has(group.number) && isOpen && group.tasks.every((id) => settled.has(id));
}

/** False once a session of one group has made its checkpoint and what was begun is finished. */
export function isOfSession(facts: RunFacts, decision: Decision, settled: Settled): boolean {
  if (facts.mode !== "one-group" || facts.checkpointsThisSession === 0) return true;
  const begun = decision.groups.filter((group) => facts.groups.has(group.number));
  return !begun.every((group) => group.tasks.every((id) => settled.has(id)));
}

/** True if nothing in the run can go on, not even by a person's decision on a conflict. */
export function isFinished(facts: RunFacts): boolean {
  return facts.waiting === null && [...facts.tasks.values()].every((task) => isFinal(facts, task));
}

function isFinal(facts: RunFacts, { id, status }: TaskFacts): boolean {
  if (status === "qa_approved" || status === "merging") return !facts.merge && !awaitsCheckout(facts, id);
  return status === "done" || status === "failed" || status === "skipped";
}

/** What a session's end says: all landed, something failed, or a person is needed before the rest can go on. */
export function exitOf(facts: RunFacts): ExitCode {
  const settled = settledTasks(facts);
  const all = [...facts.tasks.values()];
  const waits = all.some((task) => settled.has(task.id) && !isFinal(facts, task));
  if (facts.waiting !== null || facts.environment !== null || waits) return EXIT.person;
  return all.some(({ status }) => status === "failed" || status === "skipped") ? EXIT.refused : EXIT.ok;
}
