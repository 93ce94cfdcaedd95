import { join } from "node:path";
import type { Config, LeaseOwner } from "../../../src/domain/index.ts";
import { openRepository, type Repository } from "../../../src/git/index.ts";
import type { PoolContext } from "../../../src/pool/index.ts";
import { hermeticEnv, type RepoOptions, type TempRepo, tempRepo } from "../../fixtures/index.ts";

export const SETTINGS: Config["pool"] = {
  size: 8,
  dir: null,
  branchPrefix: "auto",
  copy: [".claude/project-profile.yaml"],
  setup: "auto",
  keep: ["/node_modules/"],
  ports: 0,
  env: {},
  ttlMs: 24 * 3_600_000,
  trashMaxBytes: 5 * 2 ** 30,
  rescueMaxFileBytes: 1024 * 1024,
  rescueMaxBytes: 4 * 1024 * 1024,
};

export type Lab = {
  repo: TempRepo;
  context: PoolContext;
  said: string[];
  slot: (id: string) => string;
  as: (owner: LeaseOwner, run?: string) => PoolContext;
};

/** The context of a shell in a repository. */
export function contextOf(
  repository: Repository,
  settings: Partial<Config["pool"]> = {},
  narrate: (line: string) => void = () => undefined,
): PoolContext {
  return {
    repository,
    settings: { ...SETTINGS, ...settings },
    owner: { kind: "shell", name: "shell" },
    run: "shell",
    now: () => new Date(),
    narrate,
  };
}

/** A real repository and the context of a shell in it. */
export async function lab(options: RepoOptions = {}, settings: Partial<Config["pool"]> = {}): Promise<Lab> {
  const repo = tempRepo(options);
  const said: string[] = [];
  const repository = await openRepository(repo.dir, { parentEnv: { ...hermeticEnv(), HOME: repo.parent } });
  const context = contextOf(repository, settings, (line) => said.push(line));
  return { repo, context, said, slot: (id) => join(`${repo.dir}.pool`, id), as: (owner, run = "shell") => ({ ...context, owner, run }) };
}
