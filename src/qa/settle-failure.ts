import type { JudgedCheck } from "../domain/index.ts";
import { readBelow } from "../git/index.ts";
import { type Bench, setUpBench } from "./bench.ts";
import { compareWithBase, type Settled } from "./compare-with-base.ts";
import { isDiskFull } from "./disk.ts";
import { type Judging, waitUntilAlone } from "./judging.ts";
import { missingHint } from "./missing-program.ts";
import { runnable } from "./plan-checks.ts";
import { type CheckRun, runCheck } from "./run-check.ts";
import { missingProductOf } from "./script-products.ts";
import { settleMissing } from "./settle-missing.ts";
import { manifestHint } from "./uninstalled-manifests.ts";

/**
 * Tells what the failure of the last check of `plan` means. The check runs once more while no other verification of
 * this repository runs, and so does the base: a suite that fails only beside another one says nothing about the work.
 */
export async function settleFailure(judging: Judging, plan: readonly JudgedCheck[], bench: Bench, failed: CheckRun): Promise<Settled> {
  const planned = plan.at(-1);
  if (planned === undefined) throw new Error("no check to settle");
  const { name, run } = planned.check;
  const foreign = foreignCause(judging, bench, failed);
  if (foreign !== null) return { kind: "blocked", reason: foreign };
  if (failed.end === "no-runner") return settleMissing(judging, plan, bench, failed);
  const command = typeof run === "string" ? run : run.join(" ");
  const missing = missingHint(failed.tail, bench.checkout.dir);
  const hint = await manifestHint(judging, bench.checkout.dir, { command, output: failed.tail });
  await bench.checkout.dispose();
  await waitUntilAlone(judging, name);
  const again = await runAgain(judging, plan);
  if (again.kind !== "failed") return again;
  judging.say(`${name}: failed twice${planned.standing === "own" ? "" : ", now on the base alone"}`);
  const settled = await compareWithBase(judging, plan, again, { reason: `\`${name}\` failed (${failed.how})${missing}`, unlike: "" });
  return "reason" in settled ? { ...settled, reason: `${settled.reason}${hint}` } : settled;
}

type Again = Settled | { kind: "failed"; bench: Bench; doubted: readonly string[] };

/** Runs the check once more, in a new folder with a new install, after the checks that went before it. */
async function runAgain(judging: Judging, plan: readonly JudgedCheck[]): Promise<Again> {
  const bench = await setUpBench(judging, judging.judged.commit, "-again");
  if ("fault" in bench) return { kind: "blocked", reason: `the dependencies could be installed once and not again: ${bench.reason}` };
  const doubted: string[] = [];
  let passed = false;
  for (const { check } of runnable(plan)) {
    passed = (await runCheck(judging, bench, check, "-again")).end === "passed";
    if (!passed) doubted.push(check.name);
  }
  return passed ? { kind: "flaky", bench, doubted } : { kind: "failed", bench, doubted: doubted.slice(0, -1) };
}

/** Returns a cause that has nothing to do with the work, if the failure shows one. */
function foreignCause(judging: Judging, { checkout }: Bench, { result }: CheckRun): string | null {
  if (isDiskFull(checkout.dir)) return `\`${result.name}\` failed on a full disk (${checkout.dir})`;
  const { allowScripts } = judging.context.settings;
  const needed = missingProductOf(result.excerpt, readBelow(checkout.dir, "package-lock.json")?.toString("utf8"), allowScripts);
  if (needed === undefined) return null;
  const names = [...allowScripts, needed].map((one) => JSON.stringify(one)).join(", ");
  return `\`${result.name}\` misses what the install script of ${needed} makes, and install scripts are off: add \`qa.allow_scripts: [${names}]\` to the configuration if you trust it`;
}
