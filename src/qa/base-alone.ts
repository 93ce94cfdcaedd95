import { setUpBench } from "./bench.ts";
import type { Judging } from "./judging.ts";
import type { PlannedCheck } from "./plan-checks.ts";
import { runCheck } from "./run-check.ts";
import { verdictKey } from "./verdict-key.ts";
import { passedOnBase, rememberBase } from "./verdict-memo.ts";

/**
 * How the last of these checks fails on the base alone; null where it passes. Those before it run too, for what they
 * leave behind (a build, say), but do not count. What once passed is not run again.
 */
export async function failureOnBase(judging: Judging, plan: readonly PlannedCheck[]): Promise<string | null> {
  const { request, repository, context, baseTree, judged } = judging;
  if (baseTree === judged.tree) return "the work changes nothing";
  const checks = runnable(plan).map(({ check }) => check);
  const key = verdictKey({
    checks,
    environment: judging.visible,
    allowScripts: context.settings.allowScripts,
    commits: [request.base],
  });
  if (passedOnBase(repository, baseTree, key)) return null;
  const bench = await setUpBench(judging, request.base, "-on-base");
  if ("fault" in bench) return bench.reason;
  try {
    let last: string | null = null;
    for (const check of checks) {
      const run = await runCheck(judging, bench, check, "-on-base");
      last = run.end === "passed" ? null : run.how;
    }
    if (last === null) rememberBase(repository, { tree: baseTree, key, at: context.now().toISOString() });
    return last;
  } finally {
    await bench.checkout.dispose();
  }
}

/** True where the base's own dependencies cannot be installed either: then the work is not to blame. */
export async function installFailsOnBase(judging: Judging): Promise<boolean> {
  if (judging.baseTree === judging.judged.tree) return true;
  const bench = await setUpBench(judging, judging.request.base, "-on-base");
  if ("fault" in bench) return true;
  await bench.checkout.dispose();
  return false;
}

export function runnable(plan: readonly PlannedCheck[]): PlannedCheck[] {
  return plan.filter(({ skip }) => skip === null);
}
