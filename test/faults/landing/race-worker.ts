// One coordinator of a race, as a program of its own: merges its branches into main, one train after another. It obeys one
// order at a time. Bundled and started by race-crew.ts.
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Verify } from "../../../src/domain/index.ts";
import { readFileAt } from "../../../src/git/index.ts";
import { mergeCandidates, mergeContext, verdictOn } from "../../fixtures/merge-context.ts";

export type RaceOrder = {
  repo: string;
  run: string;
  /** Trains, one after another. */
  trains: readonly (readonly { branch: string; commit: string }[])[];
  /** Gets a line for each commit that was verified, and one for each end. */
  log: string;
};

async function obey({ repo, run, trains, log }: RaceOrder): Promise<void> {
  const context = await mergeContext(repo, process.env, { run, person: { name: run, email: `${run}@example.invalid` } });
  const { repository } = context;
  // A function of the tree alone, so that it can be asked again afterwards; the time it takes lets others in.
  const verify: Verify = async (request) => {
    const text = (await readFileAt(repository, request.commit, "sum.txt"))?.toString("utf8") ?? "";
    await delay(5);
    const reason = text.includes("bad") ? "bad" : "";
    if (reason === "") appendFileSync(log, `verified ${request.commit}\n`);
    return verdictOn(request, reason);
  };
  for (const train of trains) {
    const candidates = train.map(({ branch, commit }) => ({ task: branch, title: branch, branch, commit, dependsOn: [] }));
    const { result } = await mergeCandidates({ ...context, verify }, candidates);
    appendFileSync(log, `ended ${result.kind}${"reason" in result ? `: ${result.reason.replaceAll("\n", " ")}` : ""}\n`);
  }
}

process.on("message", (order) => void obey(order as RaceOrder).then(() => process.send?.("obeyed")));
