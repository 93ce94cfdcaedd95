import { join } from "node:path";
import { readText } from "../state/index.ts";
import { failureOnBase, runnable } from "./base-alone.ts";
import { type Bench, setUpBench } from "./bench.ts";
import { isDiskFull } from "./disk.ts";
import type { Judging } from "./judging.ts";
import type { PlannedCheck } from "./plan-checks.ts";
import { type CheckRun, runCheck } from "./run-check.ts";
import { missingProductOf } from "./script-products.ts";

export type Settled =
  /** It passed when all was done again: work goes on in the new bench. `doubted`: earlier checks that failed there. */
  { kind: "flaky"; bench: Bench; doubted: readonly string[] } | { kind: "rejected" | "blocked"; reason: string };

/** What the failure of the last check of `plan` means: chance, the work's fault, or nothing about the work. */
export async function settleFailure(judging: Judging, plan: readonly PlannedCheck[], bench: Bench, failed: CheckRun): Promise<Settled> {
  const planned = plan.at(-1);
  if (planned === undefined) throw new Error("no check to settle");
  const { name } = planned.check;
  const foreign = foreignCause(judging, bench, failed);
  if (foreign !== null) return { kind: "blocked", reason: foreign };
  await bench.checkout.dispose();
  if (failed.end === "no-runner") {
    const reason = `\`${name}\` has no program to run (${failed.how})`;
    if (!planned.holdsOnBase || (await failureOnBase(judging, plan)) !== null) return { kind: "blocked", reason };
    return { kind: "rejected", reason: `${reason}, which it has on the base` };
  }
  const again = await runAgain(judging, plan);
  if (again.kind !== "failed") return again;
  const reason = `\`${name}\` failed (${failed.how})`;
  if (!planned.holdsOnBase) return { kind: "rejected", reason };
  judging.say(`${name}: failed twice, now on the base alone`);
  const onBase = await failureOnBase(judging, plan);
  if (onBase === null) return { kind: "rejected", reason };
  return { kind: "blocked", reason: `${reason}, and it fails on the base alone as well (${onBase})` };
}

/** The check once more, in a new folder with a new install, after the checks that went before it. */
async function runAgain(judging: Judging, plan: readonly PlannedCheck[]): Promise<Settled | { kind: "failed" }> {
  const bench = await setUpBench(judging, judging.judged.commit, "-again");
  if ("fault" in bench) return { kind: "blocked", reason: `the dependencies could be installed once and not again: ${bench.reason}` };
  const doubted: string[] = [];
  let passed = false;
  for (const { check } of runnable(plan)) {
    passed = (await runCheck(judging, bench, check, "-again")).end === "passed";
    if (!passed) doubted.push(check.name);
  }
  if (passed) return { kind: "flaky", bench, doubted };
  await bench.checkout.dispose();
  return { kind: "failed" };
}

/** A cause that has nothing to do with the work, where the failure shows one. */
function foreignCause(judging: Judging, { checkout }: Bench, { result }: CheckRun): string | null {
  if (isDiskFull(checkout.dir)) return `\`${result.name}\` failed on a full disk (${checkout.dir})`;
  const { allowScripts } = judging.context.settings;
  const needed = missingProductOf(result.excerpt, readText(join(checkout.dir, "package-lock.json")), allowScripts);
  if (needed === undefined) return null;
  const names = [...allowScripts, needed].map((one) => JSON.stringify(one)).join(", ");
  return `\`${result.name}\` misses what the install script of ${needed} makes, and install scripts are off: add \`qa.allow_scripts: [${names}]\` to the configuration if you trust it`;
}
