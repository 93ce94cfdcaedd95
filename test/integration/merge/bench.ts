import { join } from "node:path";
import type { RunEvent, VerifyRequest } from "../../../src/domain/index.ts";
import { readFileAt } from "../../../src/git/index.ts";
import { type Candidate, type MergeContext, type PacketInput, type Undo } from "../../../src/merge/index.ts";
import { hermeticEnv, type RepoOptions, type TempRepo, tempRepo } from "../../fixtures/index.ts";
import { mergeCandidates, mergeContext, verdictOn } from "../../fixtures/merge-context.ts";

export type Bench = {
  repo: TempRepo;
  context: MergeContext;
  events: RunEvent[];
  verified: VerifyRequest[];
  candidate: (task: string, dependsOn?: string[]) => Candidate;
  /** What the packet of a task that collides with `onto` is written from. */
  packetOf: (task: string, onto: string) => PacketInput;
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
  const events: RunEvent[] = [];
  const verified: VerifyRequest[] = [];
  const context = await mergeContext(repo.dir, hermeticEnv(), {
    resolving: { level: "safe", union: [] },
    emit: (event) => events.push(event),
  });
  context.verify = async (request) => {
    verified.push(request);
    const bad = await red(async (path) => (await readFileAt(context.repository, request.commit, path))?.toString("utf8") ?? "");
    return verdictOn(request, bad ? "npm test failed" : "");
  };
  const candidate: Bench["candidate"] = (task, dependsOn = []) => ({
    task,
    title: `do ${task}`,
    branch: `auto/${task}`,
    commit: repo.git("rev-parse", `auto/${task}`),
    dependsOn,
  });
  const packetOf: Bench["packetOf"] = (task, onto) => {
    const { title, branch, commit } = candidate(task);
    const { run, target, resolving } = context;
    const folder = join(repo.parent, "packet");
    return {
      folder,
      run,
      task,
      title,
      branch,
      commit,
      target,
      onto,
      reason: "collides",
      tried: [],
      resolving,
      base: null,
      now: new Date(0),
    };
  };
  return { repo, context, events, verified, candidate, packetOf };
}

/** Lands one task and deletes its branch, as a run does; returns what takes that back. */
export async function landAndDelete({ repo, context, candidate }: Bench, task: string): Promise<Undo> {
  const { repository, target, fence, emit } = context;
  const { branch, commit, ...rest } = candidate(task);
  const before = repo.git("rev-parse", target);
  await mergeCandidates(context, [{ branch, commit, ...rest }]);
  repo.git("branch", "-D", branch);
  return { repository, target, before, after: repo.git("rev-parse", target), branches: [{ branch, commit }], fence, emit };
}
