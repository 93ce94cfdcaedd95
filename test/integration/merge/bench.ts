import type { RunEvent, Verify, VerifyRequest } from "../../../src/domain/index.ts";
import { dangerousConfig, openRepository, readFileAt } from "../../../src/git/index.ts";
import type { Candidate, MergeContext } from "../../../src/merge/index.ts";
import { hermeticEnv, type RepoOptions, type TempRepo, tempRepo } from "../../fixtures/index.ts";

export type Bench = {
  repo: TempRepo;
  context: MergeContext;
  events: RunEvent[];
  verified: VerifyRequest[];
  candidate: (task: string, dependsOn?: string[]) => Candidate;
};

/** A repository with one branch a task; `verify` approves a tree unless `red` says otherwise. */
export async function bench(
  branches: NonNullable<RepoOptions["branches"]>,
  red: (read: (path: string) => Promise<string>) => Promise<boolean> = async () => false,
  files: NonNullable<RepoOptions["files"]> = { "a.txt": "1\n2\n3\n", "b.txt": "b\n" },
): Promise<Bench> {
  const repo = tempRepo({
    files,
    branches: Object.fromEntries(Object.entries(branches).map(([task, files]) => [`auto/${task}`, files])),
  });
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const events: RunEvent[] = [];
  const verified: VerifyRequest[] = [];
  const verify: Verify = async (request) => {
    verified.push(request);
    const bad = await red(async (path) => (await readFileAt(repository, request.commit, path))?.toString("utf8") ?? "");
    return {
      decision: bad ? "rejected" : "approved",
      label: request.label,
      commit: request.commit,
      base: request.base,
      tree: "",
      key: "",
      reason: bad ? "npm test failed" : "",
      checks: [],
      install: "none",
      at: "",
    };
  };
  const context: MergeContext = {
    repository,
    run: "r",
    target: "main",
    person: { name: "Test", email: "t@example.invalid" },
    verify,
    slots: 1,
    strategy: "merge",
    resolving: { level: "safe", union: [] },
    emit: (event) => events.push(event),
    fence: [],
    trustedConfig: await dangerousConfig(repository),
    narrate: () => undefined,
  };
  return {
    repo,
    context,
    events,
    verified,
    candidate: (task, dependsOn = []) => ({
      task,
      title: `do ${task}`,
      branch: `auto/${task}`,
      commit: repo.git("rev-parse", `auto/${task}`),
      dependsOn,
    }),
  };
}
