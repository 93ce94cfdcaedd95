import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { poolHealth } from "../../../src/pool/index.ts";
import { brokenPromises, checkoutOf } from "./promises.ts";
import { type Scenario, type Stage, stage, under } from "./scenarios.ts";

/** The names of the points that a verb passes on its way, in their order. */
export async function pointsOf(scenario: Scenario): Promise<string[]> {
  const made = await stage(scenario);
  const log = join(made.repo.parent, "points");
  const end = await under(made, scenario.verb, undefined, log);
  if (end.code !== 0) throw new Error(`${scenario.verb.join(" ")} fails by itself: ${end.stderr}`);
  return readFileSync(log, "utf8").trimEnd().split("\n");
}

/** How a verb is disturbed, and how its end must look. */
export type Disturbance = { failpoint: string; repair: readonly string[]; mayEnd: (end: Awaited<ReturnType<typeof under>>) => boolean };

export const isKilled: Disturbance["mayEnd"] = (end) => end.signal === "SIGKILL" || end.code === 137;

/** An error of ours, with its three parts; never a defect (70) or a stack. */
export const isTold: Disturbance["mayEnd"] = ({ code, stdout, stderr }) => {
  if (code === 0 || (code === 1 && stdout.startsWith("Pool health: "))) return true;
  const isError = /error\[[A-Z_]+\]: .+\n {2}because: [\s\S]+\n {2}try: /.test(stderr) && !/\n\s+at /.test(stderr);
  return code !== null && [1, 2, 3, 4, 5].includes(code) && isError;
};

/**
 * One disturbance: the verb dies or fails at that point, the next verb puts right what it left, and every promise
 * holds. Returns what is broken, empty when all is well; undefined where the verb ended before it came to the point.
 */
export async function disturb(scenario: Scenario, how: Disturbance): Promise<string[]> {
  const made = await stage(scenario);
  const checkout = checkoutOf(made);
  const end = await under(made, scenario.verb, how.failpoint);
  const odd = how.mayEnd(end) ? [] : [`ended with ${end.code ?? end.signal}: ${end.stderr.slice(0, 600)}`];
  return [...odd, ...(await afterRepair(made, checkout, how.repair))];
}

/** A kill, then kills inside of its recovery, then a recovery that is let through. */
export async function disturbTwice(scenario: Scenario, first: string, second: string): Promise<string[]> {
  const made = await stage(scenario);
  const checkout = checkoutOf(made);
  await under(made, scenario.verb, first);
  await under(made, ["health", "--fix"], second);
  await under(made, ["health", "--fix"], second);
  return afterRepair(made, checkout, ["health", "--fix"]);
}

async function afterRepair(made: Stage, checkout: string, repair: readonly string[]): Promise<string[]> {
  const repaired = await under(made, repair, undefined);
  const isThere = existsSync(made.context.repository.layout.poolStore);
  const findings = isThere ? (await poolHealth(made.context, { fix: false })).findings : [];
  const ill = findings.map(({ text }) => `health after the next verb: ${text} (it said: ${repaired.stdout}${repaired.stderr})`);
  const told =
    isTold(repaired) || repaired.code === 1
      ? []
      : [`the repair ended with ${repaired.code ?? repaired.signal}: ${repaired.stderr.slice(0, 600)}`];
  return [...ill, ...told, ...brokenPromises(made, checkout)];
}
