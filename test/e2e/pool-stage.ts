import { mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect } from "vitest";
import { openRepository } from "../../src/git/index.ts";
import { existingStore, type PoolState } from "../../src/pool/index.ts";
import {
  type CliResult,
  hermeticEnv,
  type RepoOptions,
  type RunningCli,
  runCli,
  startCli,
  type TempRepo,
  tempRepo,
} from "../fixtures/index.ts";

type Env = Readonly<Record<string, string | undefined>>;
export type Line = { id: string; path: string; branch: string };
export type StatusJson = {
  pool_size: number;
  busy: number;
  idle: number;
  error: number;
  slots: readonly { id: string; status: string; lease: { task: string; base: string; branch: string; token: number } | null }[];
};

/** A repository with `pool-manager` at hand, as a script in its root uses it. */
export type PoolStage = {
  repo: TempRepo;
  pool: (...args: readonly string[]) => Promise<CliResult>;
  start: (...args: readonly string[]) => RunningCli;
  /** The same repository seen with other variables, or from another folder. */
  as: (env: Env, cwd?: string) => PoolStage;
  slot: (id: string) => string;
  /** `acquire`, which has to succeed, and the three parts of its line. */
  lease: (...args: readonly string[]) => Promise<Line>;
  status: () => Promise<StatusJson>;
  /** What must not change where a verb is refused: worktrees, refs, and what the state says. */
  everything: () => Promise<string>;
  worktrees: () => string[];
  /** Branches below `auto/`. */
  branches: () => string[];
  state: () => Promise<PoolState>;
};

/** The pool of a repository that is there. */
export function poolOf(repo: TempRepo, env: Env = {}, cwd = repo.dir): PoolStage {
  const options = { cwd, env, program: "pool-manager" } as const;
  const pool: PoolStage["pool"] = (...args) => runCli(args, options);
  const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  const worktrees = (): string[] =>
    lines(repo.git("worktree", "list", "--porcelain"))
      .filter((line) => line.startsWith("worktree "))
      .map((line) => line.slice("worktree ".length))
      .filter((path) => path !== realpathSync(repo.dir));
  const state = async (): Promise<PoolState> => {
    const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
    return existingStore(repository).read().state;
  };
  return {
    repo,
    pool,
    start: (...args) => startCli(args, options),
    as: (more, folder) => poolOf(repo, { ...env, ...more }, folder ?? cwd),
    slot: (id) => join(`${repo.dir}.pool`, id),
    lease: async (...args) => {
      const end = await pool("acquire", ...args);
      expect(end).toMatchObject({ code: 0 });
      const [id = "", path = "", branch = ""] = end.stdout.trimEnd().split("|");
      return { id, path, branch };
    },
    status: async () => JSON.parse((await pool("status", "--json")).stdout) as StatusJson,
    everything: async () => JSON.stringify([worktrees(), repo.git("for-each-ref"), (await state()).slots]),
    worktrees,
    branches: () => lines(repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/auto")),
    state,
  };
}

/** A repository with a pool of so many slots. */
export async function poolStage(size: number, options: RepoOptions = {}): Promise<PoolStage> {
  const stage = poolOf(tempRepo(options));
  expect(await stage.pool("init", String(size))).toMatchObject({ code: 0 });
  return stage;
}

/** What health prints where it has found nothing. */
export function healthy(slots: number): RegExp {
  return new RegExp(`^Pool health: OK\\n {3}Slots: ${slots} \\(about [\\d.]+ \\w+ on disk\\)\\n$`);
}

export function viewOf({ repo }: PoolStage): { pool_size: number; worktrees: { id: string; status: string; task_id: string | null }[] } {
  return JSON.parse(readFileSync(join(repo.dir, ".claude/pool-state.json"), "utf8"));
}

/** The newest record of the pool's state. */
export function newestRecord({ repo }: PoolStage): string {
  const folder = join(repo.dir, ".git/graftwork/pool");
  return join(
    folder,
    readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .at(-1) ?? "",
  );
}

/** Ref and commit of each rescue. */
export function rescuesOf({ repo }: PoolStage): string[] {
  return repo
    .git("for-each-ref", "--format=%(refname)", "refs/graftwork/rescue")
    .split("\n")
    .filter((ref) => ref !== "");
}

/** A folder for the PATH in which nothing is but git and a shell. */
export function barePath({ repo }: PoolStage): string {
  const folder = join(repo.parent, "bare-bin");
  mkdirSync(folder);
  const homes = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of ["git", "sh"]) {
    const home = homes.find((one) => readdirSafe(one).includes(name));
    if (home !== undefined) symlinkSync(realpathSync(join(home, name)), join(folder, name));
  }
  symlinkSync(process.execPath, join(folder, "node"));
  return folder;
}

function readdirSafe(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
