// One coordinator of a race: merges its branches into main, each by a train of its own. Bundled and started by race.ts.
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Verify } from "../../../src/domain/index.ts";
import { readFileAt, treeOf } from "../../../src/git/index.ts";
import { mergeApproved } from "../../../src/merge/index.ts";
import { mergeContext, verdictOn } from "../../fixtures/merge-context.ts";

export type RaceOrder = {
  repo: string;
  run: string;
  /** Trains, one after another. */
  trains: readonly (readonly { branch: string; commit: string }[])[];
  /** Gets a line for each commit that was verified, and one for each end. */
  log: string;
};

async function work({ repo, run, trains, log }: RaceOrder): Promise<void> {
  const context = await mergeContext(repo, process.env, { run, person: { name: run, email: `${run}@example.invalid` } });
  const { repository } = context;
  // A function of the tree alone, so that it can be asked again afterwards; the time it takes lets others in.
  const verify: Verify = async (request) => {
    const text = (await readFileAt(repository, request.commit, "sum.txt"))?.toString("utf8") ?? "";
    await delay(5);
    const tree = await treeOf(repository, request.commit);
    const reason = text.includes("bad") ? "bad" : "";
    if (reason === "") appendFileSync(log, `verified ${request.commit} ${tree}\n`);
    return verdictOn(request, { reason, tree });
  };
  for (const train of trains) {
    const candidates = train.map(({ branch, commit }) => ({ task: branch, title: branch, branch, commit, dependsOn: [] }));
    const { result } = await mergeApproved({ ...context, verify }, candidates, null);
    appendFileSync(log, `ended ${result.kind}${"reason" in result ? `: ${result.reason.replaceAll("\n", " ")}` : ""}\n`);
  }
}

await work(JSON.parse(process.argv[2] ?? "") as RaceOrder);
