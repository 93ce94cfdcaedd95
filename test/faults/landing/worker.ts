// One coordinator that lands one commit, as a program of its own: it is there to be killed. Bundled and started by lab.ts.
import { land } from "../../../src/merge/index.ts";
import { mergeContext } from "../../fixtures/merge-context.ts";

export type LandingOrder = { repo: string; from: string; to: string };

async function work({ repo, from, to }: LandingOrder): Promise<void> {
  const context = await mergeContext(repo, process.env, { emit: ({ type }) => void process.stdout.write(`${type}\n`) });
  const result = await land(context, { from, to, tasks: [] });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

await work(JSON.parse(process.argv[2] ?? "") as LandingOrder);
