import { requireAgent } from "../dispatch/index.ts";
import { type Config, type Decision, GraftworkError, type Plan } from "../domain/index.ts";
import { currentBranch, type Oid, type Repository, requireBranch } from "../git/index.ts";
import { checksOfTask, decide } from "../plan/index.ts";
import { packageChecks } from "../qa/index.ts";

export type RunRequest = { plan: Plan; source: string | null; into: string | null; mode: "all" | "one-group"; merge: boolean };

/** What a run would do, worked out without changing anything. Throws what is wrong with plan or repository. */
export async function prepareRun(
  host: { repository: Repository; config: Config },
  request: RunRequest,
): Promise<{ target: string; base: Oid; decision: Decision }> {
  const { repository, config } = host;
  const target = request.into ?? request.plan.base ?? (await currentBranch(repository, repository.root));
  if (target === null) throw noTarget();
  const base = await requireBranch(repository, target).catch((error: unknown) => {
    throw error instanceof GraftworkError && error.code === "REF_UNKNOWN" ? unknownTarget(target) : error;
  });
  for (const task of request.plan.tasks) requireAgent({ config }, task, task.agent ?? config.agents.default);
  const unchecked = request.plan.tasks.filter((task) => checksOfTask(request.plan, task, []).length === 0);
  if (unchecked.length > 0 && config.qa.checks.length === 0 && (await packageChecks(repository, base)).length === 0) throw noChecks();
  return { target, base, decision: decisionOf(request.plan, config) };
}

export function decisionOf(plan: Plan, config: Config): Decision {
  const { enabled, minTasks, maxAgents } = config.parallelization;
  return decide(plan, { enabled, minTasks, maxAgents });
}

/** As many slots as agents can be at work: a task holds one only meanwhile. */
export function slotsFor(decision: Decision, plan: Plan): number {
  return Math.max(1, Math.min(plan.tasks.length, decision.agents));
}

function noTarget(): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", {
    message: "There is no target branch.",
    because: "HEAD is detached and neither the plan's `base` nor `--into` names a branch.",
    try: "`graftwork run PLAN --into main`.",
  });
}

export function unknownTarget(target: string): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", {
    message: `There is no branch ${JSON.stringify(target)} to merge into.`,
    because: "the plan's `base` or `--into` names it, and git knows no such branch.",
    try: "see `git branch`, or make it: `git branch NAME COMMIT`.",
  });
}

function noChecks(): GraftworkError {
  return new GraftworkError("NO_CHECKS", {
    message: "Nothing says how to tell good work from bad.",
    because:
      "the plan has no `verification`, the configuration no `qa.checks`, and the target's package.json none of the scripts typecheck, lint, test, build.",
    try: "add `verification: [npm test]` (or what your project uses) to the plan.",
  });
}
