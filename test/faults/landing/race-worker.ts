// One coordinator of a race: merges its branches into main, each by a train of its own. Bundled and started by race.ts.
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { dangerousConfig, openRepository, readFileAt, treeOf } from "../../../src/git/index.ts";
import { mergeApproved } from "../../../src/merge/index.ts";

export type RaceOrder = {
  repo: string;
  run: string;
  /** Trains, one after another. */
  trains: readonly (readonly { branch: string; commit: string }[])[];
  /** Gets a line for each commit that was verified, and one for each end. */
  log: string;
};

async function work({ repo, run, trains, log }: RaceOrder): Promise<void> {
  const repository = await openRepository(repo, { parentEnv: process.env });
  const trustedConfig = await dangerousConfig(repository);
  for (const train of trains) {
    const { result } = await mergeApproved(
      {
        repository,
        run,
        target: "main",
        person: { name: run, email: `${run}@example.invalid` },
        // A function of the tree alone, so that it can be asked again afterwards; the time it takes lets others in.
        verify: async (request) => {
          const text = (await readFileAt(repository, request.commit, "sum.txt"))?.toString("utf8") ?? "";
          await delay(5);
          const tree = await treeOf(repository, request.commit);
          const bad = text.includes("bad");
          if (!bad) appendFileSync(log, `verified ${request.commit} ${tree}\n`);
          return {
            decision: bad ? "rejected" : "approved",
            label: request.label,
            commit: request.commit,
            base: request.base,
            tree,
            key: "",
            reason: bad ? "bad" : "",
            checks: [],
            install: "none",
            at: "",
          };
        },
        slots: 1,
        strategy: "merge",
        resolving: { level: "off", union: [] },
        emit: () => undefined,
        fence: [],
        trustedConfig,
        narrate: () => undefined,
      },
      train.map(({ branch, commit }) => ({ task: branch, title: branch, branch, commit, dependsOn: [] })),
      null,
    );
    appendFileSync(log, `ended ${result.kind}${"reason" in result ? `: ${result.reason.replaceAll("\n", " ")}` : ""}\n`);
  }
}

await work(JSON.parse(process.argv[2] ?? "") as RaceOrder);
