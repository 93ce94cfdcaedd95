import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import type { JudgedCheck } from "../domain/index.ts";
import { listPaths } from "../git/index.ts";
import { baseInstalls } from "./base-alone.ts";
import type { Bench } from "./bench.ts";
import { compareWithBase, type Settled } from "./compare-with-base.ts";
import type { Judging } from "./judging.ts";
import { missingProgram } from "./missing-program.ts";
import type { CheckRun } from "./run-check.ts";

/**
 * Tells whose fault it is that the last check of `plan` found no program to run. A file of the project that the base
 * has, or that only the task names, is missing by the work's fault. A name that the PATH answers is the machine's.
 */
export async function settleMissing(judging: Judging, plan: readonly JudgedCheck[], bench: Bench, failed: CheckRun): Promise<Settled> {
  const planned = plan.at(-1);
  if (planned === undefined) throw new Error("no check to settle");
  const { check, standing } = planned;
  const missing = missingProgram(check.run, failed.tail, bench.checkout.dir);
  const cannotRun = `\`${check.name}\` has no program to run (${failed.how})`;
  if (missing === null) return compareOrBlock(judging, plan, bench, { reason: cannotRun, blocked: cannotRun });
  const { name, path } = missing;
  if (path === null) {
    if (standing === "own" && (await baseInstalls(judging, name)))
      return { kind: "rejected", reason: `${cannotRun}: the dependencies of the commit do not bring ${name}, which it has on the base` };
    const reason = `${cannotRun}: ${name} was not found`;
    return compareOrBlock(judging, plan, bench, { reason, blocked: reason });
  }
  const wrong = wrongWith(bench.checkout.dir, path);
  if (wrong === null) {
    // The file is there and may run, so what is missing is the program that its first line names.
    const reason = `${cannotRun}: what runs ${path} was not found`;
    return compareOrBlock(judging, plan, bench, { reason, blocked: reason });
  }
  const reason = `${cannotRun}: the commit ${wrong} ${path}`;
  const isOnBase = (await listPaths(judging.repository, judging.request.base, [path])).length > 0;
  if (isOnBase && wrong === MISSING) return { kind: "rejected", reason: `${reason}, which it has on the base` };
  if (standing === "own") return { kind: "rejected", reason };
  return compareOrBlock(judging, plan, bench, { reason, blocked: `${cannotRun}: neither the commit nor the base can run ${path}` });
}

/** Lets the base decide. A check that only the task brings says nothing on the base: then the machine is to blame. */
async function compareOrBlock(
  judging: Judging,
  plan: readonly JudgedCheck[],
  bench: Bench,
  { reason, blocked }: { reason: string; blocked: string },
): Promise<Settled> {
  const last = plan.at(-1);
  if (last?.standing === "own") return { kind: "blocked", reason: blocked };
  judging.say(`${last?.check.name ?? ""}: finds no program to run, now on the base alone`);
  const settled = await compareWithBase(judging, plan, { bench, doubted: [] }, { reason, unlike: ", which it has on the base" });
  return settled.kind === "blocked" ? { kind: "blocked", reason: blocked } : settled;
}

const MISSING = "has no file";

/** Returns what is wrong with a file that was to run; null if it is there and may run. */
function wrongWith(dir: string, program: string): string | null {
  const file = join(dir, program);
  if (!existsSync(file)) return MISSING;
  try {
    accessSync(file, constants.X_OK);
    return null;
  } catch {
    return "does not make executable the file";
  }
}
