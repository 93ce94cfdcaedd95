import { type CheckResult, count, type Verdict } from "../domain/index.ts";
import { installFailsOnBase } from "./base-alone.ts";
import { type InstallFailure, setUpBench } from "./bench.ts";
import type { Judging } from "./judging.ts";
import type { PlannedCheck } from "./plan-checks.ts";
import { runCheck } from "./run-check.ts";
import { settleFailure } from "./settle-failure.ts";

export type Judgement = Pick<Verdict, "decision" | "reason" | "checks" | "install">;

/**
 * Installs and runs the checks in order, up to the first that fails for good. The results so far are added to
 * `results` as they come, so that they survive an error.
 *
 * What else judges (the integrity of what judges, machine reports of test runners; then the reviewing agent, which
 * can only reject) belongs before the first check and after the last one.
 */
export async function judge(judging: Judging, plan: readonly PlannedCheck[], results: CheckResult[]): Promise<Judgement> {
  let bench = await setUpBench(judging, judging.judged.commit, "");
  if ("fault" in bench) {
    results.push(installResult(bench));
    return { ...(await installVerdict(judging, bench)), install: "fresh", checks: [...results, ...unrun(plan)] };
  }
  const { install } = bench;
  for (const [index, planned] of plan.entries()) {
    if (planned.skip !== null) {
      results.push(...unrun([planned]));
      continue;
    }
    const run = await runCheck(judging, bench, planned.check);
    results.push(run.result);
    if (run.end === "passed") continue;
    const settled = await settleFailure(judging, plan.slice(0, index + 1), bench, run);
    if (settled.kind !== "flaky")
      return { decision: settled.kind, reason: settled.reason, install, checks: [...results, ...unrun(plan.slice(index + 1))] };
    results[index] = { ...run.result, state: "passed", exitCode: 0, flaky: true };
    for (const [i, one] of results.entries()) if (settled.doubted.includes(one.name)) results[i] = { ...one, flaky: true };
    bench = settled.bench;
  }
  return { decision: "approved", reason: approval(results), install, checks: results };
}

async function installVerdict(judging: Judging, failure: InstallFailure): Promise<{ decision: "rejected" | "blocked"; reason: string }> {
  if (failure.fault === "environment") return { decision: "blocked", reason: `the dependencies could not be installed: ${failure.reason}` };
  if (await installFailsOnBase(judging))
    return { decision: "blocked", reason: `the dependencies of the base alone cannot be installed either: ${failure.reason}` };
  return { decision: "rejected", reason: `the dependencies cannot be installed as the lock file says: ${failure.reason}` };
}

function installResult({ excerpt, log }: InstallFailure): CheckResult {
  return { name: "install", state: "failed", exitCode: null, durationMs: 0, log, excerpt, flaky: false };
}

/** Checks that were not run: skipped where they cannot be, else because of one before them. */
export function unrun(plan: readonly PlannedCheck[]): CheckResult[] {
  return plan.map(({ check, skip }) => ({
    name: check.name,
    state: skip === null ? "not-run" : "skipped",
    exitCode: null,
    durationMs: 0,
    log: null,
    excerpt: skip ?? "",
    flaky: false,
  }));
}

function approval(results: readonly CheckResult[]): string {
  const passed = results.filter((one) => one.state === "passed");
  const flaky = passed.filter((one) => one.flaky).map((one) => `\`${one.name}\``);
  return `${count(passed.length, "check")} passed${flaky.length === 0 ? "" : `, ${flaky.join(", ")} only when run again`}`;
}
