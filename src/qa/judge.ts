import { type CheckResult, count, type JudgedCheck, type Verdict } from "../domain/index.ts";
import { addedLimits } from "./added-limits.ts";
import { installFailsOnBase } from "./base-alone.ts";
import { type Bench, type InstallFailure, setUpBench } from "./bench.ts";
import type { Judging } from "./judging.ts";
import { overlapped } from "./places.ts";
import { type CheckRun, runCheck } from "./run-check.ts";
import { settleFailure } from "./settle-failure.ts";

export type Judgement = Pick<Verdict, "decision" | "reason" | "checks" | "install" | "overlapped">;

/**
 * Installs and runs the checks in order, up to the first that fails for good. The results so far are added to
 * `results` as they come, so that they survive an error.
 *
 * What else judges (the integrity of what judges, machine reports of test runners; then the reviewing agent, which
 * can only reject) belongs before the first check and after the last one.
 */
export async function judge(judging: Judging, plan: readonly JudgedCheck[], results: CheckResult[]): Promise<Judgement> {
  const first = await firstBench(judging);
  if ("decision" in first) {
    if (first.failure !== null) results.push(installResult(first.failure));
    const install = first.failure === null ? "none" : "fresh";
    return { decision: first.decision, reason: first.reason, install, checks: [...results, ...unrun(plan)] };
  }
  const { install } = first;
  let bench: Bench = first;
  let isOverlapped = false;
  for (const [index, planned] of plan.entries()) {
    if (planned.skip !== null) {
      results.push(...unrun([planned]));
      continue;
    }
    const before = judging.place.look();
    const run = await runCheck(judging, bench, planned.check);
    results.push(run.result);
    if (run.end === "passed") continue;
    const beside = overlapped(before, judging.place.look());
    const settled = await settleFailure(judging, plan.slice(0, index + 1), bench, run);
    if ("reason" in settled)
      return { decision: settled.kind, reason: settled.reason, install, checks: [...results, ...unrun(plan.slice(index + 1))] };
    await judging.place.share();
    isOverlapped ||= settled.kind === "flaky" && beside;
    if (settled.kind === "left-out") judging.say(`${planned.check.name}: left out, since it fails on the base alone (${settled.onBase})`);
    results[index] = settled.kind === "flaky" ? passedAgain(run) : leftOut(run, settled.onBase);
    for (const [i, one] of results.entries()) if (settled.doubted.includes(one.name)) results[i] = { ...one, flaky: true };
    bench = settled.bench;
  }
  if (!results.some(({ state }) => state === "passed"))
    return { decision: "blocked", reason: "no check ran: those there are fail on the base alone already", install, checks: results };
  return { decision: "approved", reason: approval(results), install, checks: results, ...(isOverlapped ? { overlapped: true } : {}) };
}

type NoBench = { decision: "rejected" | "blocked"; reason: string; failure: InstallFailure | null };

async function firstBench(judging: Judging): Promise<Bench | NoBench> {
  try {
    const bench = await setUpBench(judging, judging.judged.commit, "");
    return "fault" in bench ? { ...(await installVerdict(judging, bench)), failure: bench } : bench;
  } catch (error) {
    const reason = await addedLimits(judging, error);
    if (reason === null) throw error;
    return { decision: "rejected", reason, failure: null };
  }
}

function passedAgain({ result }: CheckRun): CheckResult {
  return { ...result, state: "passed", exitCode: 0, flaky: true };
}

function leftOut({ result }: CheckRun, onBase: string): CheckResult {
  return { ...result, state: "skipped", excerpt: `left out: it fails on the base alone already (${onBase})` };
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

/** Returns the results of checks that did not run: skipped if they cannot run, else because of one before them. */
export function unrun(plan: readonly JudgedCheck[]): CheckResult[] {
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
  const left = results.filter((one) => one.state === "skipped" && one.log !== null).map((one) => `\`${one.name}\``);
  const again = flaky.length === 0 ? "" : `, ${flaky.join(", ")} only when run again`;
  return `${count(passed.length, "check")} passed${again}${left.length === 0 ? "" : `; ${left.join(", ")} left out`}`;
}
