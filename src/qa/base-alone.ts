import { existsSync } from "node:fs";
import { join } from "node:path";
import type { JudgedCheck } from "../domain/index.ts";
import { type Bench, setUpBench } from "./bench.ts";
import { type Judging, waitUntilAlone } from "./judging.ts";
import { labelInKey } from "./label-in-key.ts";
import { runnable } from "./plan-checks.ts";
import { runCheck } from "./run-check.ts";
import { verdictKey } from "./verdict-key.ts";
import { knownOnBase, rememberBase } from "./verdict-memo.ts";

/**
 * Returns how the last of these checks fails on the base alone; null if it passes. Those before it run too, for the
 * files that they make (a build, say), but do not count. What once passed is not run again, and neither is what
 * another verification saw fail since this one began.
 */
export async function failureOnBase(judging: Judging, plan: readonly JudgedCheck[]): Promise<string | null> {
  const { request, repository, context, baseTree, judged } = judging;
  if (baseTree === judged.tree) return "the work changes nothing";
  // On the base alone a check says the same, whatever its standing.
  const checks = runnable(plan).map((one): JudgedCheck => ({ ...one, standing: "shared" }));
  const key = verdictKey({
    checks,
    environment: judging.visible,
    allowScripts: context.settings.allowScripts,
    base: request.base,
    label: await labelInKey(repository, baseTree, checks, request.label),
    commits: [request.base],
  });
  const ask = (): ReturnType<typeof knownOnBase> => knownOnBase(repository, baseTree, key, judging.since);
  let known = ask();
  if (known === undefined) {
    await waitUntilAlone(judging, checks.at(-1)?.check.name ?? "");
    // Another verification may have run them on the same base meanwhile.
    known = ask();
  }
  if (known !== undefined) return known.failure;
  const bench = await setUpBench(judging, request.base, "-on-base");
  if ("fault" in bench) return bench.reason;
  const failure = await lastFailure(judging, bench, checks);
  rememberBase(repository, { tree: baseTree, key, at: context.now().toISOString(), failure });
  return failure;
}

async function lastFailure(judging: Judging, bench: Bench, checks: readonly JudgedCheck[]): Promise<string | null> {
  try {
    let last: string | null = null;
    for (const { check } of checks) {
      const run = await runCheck(judging, bench, check, "-on-base");
      last = run.end === "passed" ? null : run.how;
    }
    return last;
  } finally {
    await bench.checkout.dispose();
  }
}

/** Returns true if the base's own dependencies cannot be installed either: then the work is not to blame. */
export async function installFailsOnBase(judging: Judging): Promise<boolean> {
  if (judging.baseTree === judging.judged.tree) return true;
  const bench = await setUpBench(judging, judging.request.base, "-on-base");
  if ("fault" in bench) return true;
  await bench.checkout.dispose();
  return false;
}

/** Returns true if the dependencies of the base bring this program, and so were taken away by the work. */
export async function baseInstalls(judging: Judging, program: string): Promise<boolean> {
  if (judging.baseTree === judging.judged.tree || !/^[\w.@-]+$/.test(program)) return false;
  const bench = await setUpBench(judging, judging.request.base, "-on-base");
  if ("fault" in bench) return false;
  const found = existsSync(join(bench.checkout.dir, "node_modules", ".bin", program));
  await bench.checkout.dispose();
  return found;
}
