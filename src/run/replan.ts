import { GraftworkError, type Plan, type Task } from "../domain/index.ts";
import { diffPlans } from "../plan/index.ts";
import type { RunSummary } from "./run-folder.ts";

/** What may change of a task that has begun: it counts from the next attempt, verdict or landing on. */
const MAY_CHANGE: ReadonlySet<keyof Task> = new Set(["verification", "retries", "timeoutMs", "agent"]);

/**
 * The plan with which a run goes on, given its file as it is now; null if the run's own is still the one. A change is
 * taken whole, or refused with the names of what stands in its way. Throws PLAN_CHANGED.
 */
export function replanned({ record, facts }: RunSummary, plan: Plan, isWanted: boolean): Plan | null {
  const differences = diffPlans(record.plan, plan);
  if (differences.length === 0) return null;
  const now = new Map(plan.tasks.map((task) => [task.id, task]));
  const begun = record.plan.tasks.filter((task) => (facts.tasks.get(task.id)?.attempts ?? 0) > 0);
  const fixed = begun.filter((task) => !isSameWork(task, now.get(task.id))).map((task) => task.id);
  const isMoved = plan.base !== null && plan.base !== facts.target && plan.base !== record.plan.base;
  if (isWanted && fixed.length === 0 && !isMoved) return plan;
  throw new GraftworkError("PLAN_CHANGED", {
    message: `${record.source ?? "The plan"} is not the plan that run ${record.run} began with.`,
    because: differences.join("\n  "),
    try: wayOn({ fixed, target: isMoved ? facts.target : null }),
    details: { differences, begun: fixed },
  });
}

function isSameWork(before: Task, after: Task | undefined): boolean {
  if (after === undefined) return false;
  const keys = Object.keys(before) as (keyof Task)[];
  return keys.every((key) => MAY_CHANGE.has(key) || JSON.stringify(before[key]) === JSON.stringify(after[key]));
}

function wayOn({ fixed, target }: { fixed: readonly string[]; target: string | null }): string {
  const steps = [
    ...(target === null ? [] : [`put \`base\` back to ${target}: a run keeps its target, and \`graftwork run\` begins another one`]),
    ...(fixed.length === 0
      ? []
      : [`put ${fixed.join(", ")} back as ${fixed.length === 1 ? "it was: it has" : "they were: they have"} begun`]),
  ];
  return steps.length === 0 ? "`graftwork continue --replan` takes the changes, or put the plan back." : `${steps.join("; ")}.`;
}
