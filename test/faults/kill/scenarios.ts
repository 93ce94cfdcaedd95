import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRepository } from "../../../src/git/index.ts";
import { acquireSlot, initPool, type PoolContext, releaseSlot } from "../../../src/pool/index.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { type CliResult, git, hermeticEnv, runCli, type TempRepo, tempRepo } from "../../fixtures/index.ts";
import { contextOf } from "../../integration/pool/lab.ts";

/** A repository brought to where a verb begins, and what of it must never be lost. */
export type Stage = {
  repo: TempRepo;
  context: PoolContext;
  /** Texts that must be found again: in a slot, a branch, a rescue or the trash. */
  bytes: string[];
  /** Commits that some ref must reach. */
  commits: string[];
};

export type Scenario = {
  /** The command line that is killed. */
  verb: readonly string[];
  prepare: (stage: Stage) => Promise<void>;
};

const SETTINGS = { rescueMaxFileBytes: 4096, copy: [".env"], ports: 0 } as const;
const CONFIG = "pool:\n  copy: ['.env']\n  rescue_max_file: 4KiB\n  ports: 0\n";

export async function stage(scenario: Scenario): Promise<Stage> {
  const repo = tempRepo({
    files: {
      ".gitignore": "*.log\nignored/\n.env\n.claude/\n",
      "a.txt": "a\n",
      "deep/b.txt": "b\n",
      "deep/er/c.txt": "c\n",
      "d.txt": "d\n",
    },
  });
  mkdirSync(join(repo.dir, ".claude"));
  writeFileSync(join(repo.dir, ".claude/auto-context.yaml"), CONFIG);
  writeFileSync(join(repo.dir, ".env"), "TOKEN=of-the-user\n");
  writeFileSync(join(repo.dir, "a.txt"), "the user works here\n");
  const repository = await openRepository(repo.dir, { parentEnv: { ...hermeticEnv(), HOME: repo.parent } });
  const made: Stage = { repo, context: contextOf(repository, SETTINGS), bytes: [], commits: [] };
  await scenario.prepare(made);
  return made;
}

const pool = (size: number) => async (stage: Stage) => void (await initPool(stage.context, { size }));

async function leased(stage: Stage, task = "t"): Promise<string> {
  await initPool(stage.context, { size: 2 });
  return (await acquireSlot(stage.context, { task })).path;
}

function write(stage: Stage, folder: string, path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
  stage.bytes.push(text);
}

function commit(stage: Stage, folder: string, path: string, text: string): void {
  write(stage, folder, path, text);
  git(folder, "add", "--all");
  git(folder, "-c", "user.name=a", "-c", "user.email=a@a", "commit", "-q", "-m", `adds ${path}`);
  stage.commits.push(git(folder, "rev-parse", "HEAD"));
}

/** Unsaved work of every kind that a rescue treats in its own way. */
async function everyKind(stage: Stage): Promise<void> {
  const slot = await leased(stage);
  commit(stage, slot, "committed.txt", "committed work\n");
  commit(stage, slot, "gone.txt", "a commit that no branch has\n");
  git(slot, "reset", "-q", "--hard", "HEAD~1");
  write(stage, slot, "a.txt", "modified work\n");
  write(stage, slot, "staged.txt", "staged work\n");
  git(slot, "add", "staged.txt");
  rmSync(join(slot, "staged.txt"));
  write(stage, slot, "new.txt", "untracked work\n");
  write(stage, slot, "ignored/x.log", "ignored work\n");
  write(stage, slot, "large.bin", `${"x".repeat(8000)}large work\n`);
  git(slot, "init", "-q", "nested");
  write(stage, slot, "nested/inside.txt", "work in a nested repository\n");
  git(slot, "update-index", "--assume-unchanged", "d.txt");
  write(stage, slot, "d.txt", "hidden work\n");
}

async function ofADeadOwner(stage: Stage): Promise<void> {
  await initPool(stage.context, { size: 1 });
  const owner = { kind: "process", name: "gone", process: { ...identityOf(process.pid), bootId: "another boot" } } as const;
  const { path } = await acquireSlot({ ...stage.context, owner }, { task: "dead" });
  commit(stage, path, "committed.txt", "a commit of an owner that died\n");
  write(stage, path, "new.txt", "work of an owner that died\n");
}

/** Runs a verb under a failpoint, to its end or its death. */
export function under(stage: Stage, verb: readonly string[], failpoint: string | undefined, log?: string): Promise<CliResult> {
  return runCli(verb, {
    cwd: stage.repo.dir,
    program: "pool-manager",
    env: { HOME: stage.repo.parent, GRAFTWORK_FAILPOINT: failpoint, GRAFTWORK_FAILPOINT_LOG: log },
  });
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "init of a new pool": { verb: ["init", "2"], prepare: async () => undefined },
  "init that grows": { verb: ["init", "3"], prepare: (stage) => leased(stage).then(() => undefined) },
  "init that shrinks": {
    verb: ["init", "1"],
    prepare: async (stage) => {
      await pool(2)(stage);
      write(stage, join(`${stage.repo.dir}.pool`, "wt-2"), "by-hand.txt", "work by hand in an idle slot\n");
    },
  },
  acquire: { verb: ["acquire", "t"], prepare: pool(2) },
  "acquire at another commit": {
    verb: ["acquire", "t"],
    prepare: async (stage) => {
      await pool(2)(stage);
      writeFileSync(join(stage.repo.dir, "d.txt"), "d moved on\n");
      stage.repo.git("commit", "-q", "-m", "moves on", "d.txt");
    },
  },
  "acquire of a slot that somebody used by hand": {
    verb: ["acquire", "t"],
    prepare: async (stage) => {
      await pool(1)(stage);
      write(stage, join(`${stage.repo.dir}.pool`, "wt-1"), "deep/by-hand.txt", "work by hand\n");
      write(stage, join(`${stage.repo.dir}.pool`, "wt-1"), "d.txt", "changed by hand\n");
    },
  },
  "acquire of a task that goes on": {
    verb: ["acquire", "t"],
    prepare: async (stage) => {
      commit(stage, await leased(stage), "committed.txt", "first half\n");
      await releaseSlot(stage.context, { name: "t" });
    },
  },
  "acquire that takes a dead owner's slot": { verb: ["acquire", "t"], prepare: ofADeadOwner },
  "release of an untouched slot": { verb: ["release", "t"], prepare: (stage) => leased(stage).then(() => undefined) },
  "release of committed work": {
    verb: ["release", "t"],
    prepare: async (stage) => commit(stage, await leased(stage), "deep/committed.txt", "committed work\n"),
  },
  "release of unsaved work of every kind": { verb: ["release", "t"], prepare: everyKind },
  "release after settings were planted": {
    verb: ["release", "t"],
    prepare: async (stage) => {
      const slot = await leased(stage);
      write(stage, slot, "new.txt", "untracked work\n");
      git(stage.repo.dir, "config", "filter.evil.clean", "touch fired; cat");
      mkdirSync(join(stage.repo.dir, ".git/hooks"), { recursive: true });
      writeFileSync(join(stage.repo.dir, ".git/hooks/post-checkout"), "#!/bin/sh\ntouch fired\n", { mode: 0o755 });
      git(stage.repo.dir, "config", "core.bare", "true");
    },
  },
  "cleanup of every kind of work": { verb: ["cleanup"], prepare: everyKind },
  "reset of every kind of work": { verb: ["reset", "2"], prepare: everyKind },
  "health --fix of a broken pool": {
    verb: ["health", "--fix"],
    prepare: async (stage) => {
      const slot = await leased(stage);
      write(stage, slot, "new.txt", "untracked work\n");
      rmSync(join(`${stage.repo.dir}.pool`, "wt-2"), { recursive: true });
      appendFileSync(join(slot, ".git"), "damaged\n");
      git(stage.repo.dir, "update-ref", "-d", "refs/heads/auto/t");
    },
  },
  "the next verb after a release that was killed": {
    verb: ["acquire", "u"],
    prepare: async (stage) => {
      await everyKind(stage);
      await under(stage, ["release", "t"], "done.spawn.git-read-tree@1=kill");
    },
  },
};
