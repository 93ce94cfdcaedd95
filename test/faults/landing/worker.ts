// One coordinator that lands one commit, as a program of its own: it is there to be killed. Bundled and started by lab.ts.
import { dangerousConfig, openRepository } from "../../../src/git/index.ts";
import { land } from "../../../src/merge/index.ts";

export type LandingOrder = { repo: string; from: string; to: string };

async function work({ repo, from, to }: LandingOrder): Promise<void> {
  const repository = await openRepository(repo, { parentEnv: process.env });
  const result = await land(
    {
      repository,
      run: "r",
      target: "main",
      person: { name: "Test", email: "t@example.invalid" },
      verify: () => Promise.reject(new Error("nothing is to be verified")),
      slots: 1,
      strategy: "merge",
      resolving: { level: "off", union: [] },
      emit: ({ type }) => void process.stdout.write(`${type}\n`),
      fence: [],
      trustedConfig: await dangerousConfig(repository),
      narrate: () => undefined,
    },
    { from, to, tasks: [] },
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

await work(JSON.parse(process.argv[2] ?? "") as LandingOrder);
