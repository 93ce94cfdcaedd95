import { chmodSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../../src/git/index.ts";
import { hermeticEnv, tempRepo } from "../../fixtures/index.ts";

/** Opens the repository and says which git commands that took. */
async function opened(cwd: string, env: Readonly<Record<string, string>> = {}) {
  const commands: string[] = [];
  const repository = await openRepository(cwd, {
    parentEnv: { ...hermeticEnv(), ...env },
    onCommand: (argv) => commands.push(argv[1] ?? ""),
  });
  return { commands, root: repository.root, objectFormat: repository.objectFormat };
}

function withFolderOfOurs() {
  const repo = tempRepo();
  mkdirSync(join(repo.dir, ".git", "graftwork"));
  return repo;
}

test("a repository is looked at by git once, then known from any folder in it, its worktrees included", async () => {
  const repo = withFolderOfOurs();
  const worktree = join(repo.parent, "wt");
  repo.git("worktree", "add", "-q", "--detach", worktree);
  mkdirSync(join(repo.dir, "deep", "er"), { recursive: true });
  expect((await opened(repo.dir)).commands.sort()).toEqual(["rev-parse", "version"]);
  for (const cwd of [repo.dir, join(repo.dir, "deep", "er"), worktree]) {
    expect(await opened(cwd)).toEqual({ commands: [], root: realpathSync(repo.dir), objectFormat: "sha1" });
  }
});

test("it is looked at again when its configuration, the program or the user's settings are others", async () => {
  const repo = withFolderOfOurs();
  await opened(repo.dir);
  repo.git("config", "a.b", "c");
  expect((await opened(repo.dir)).commands.sort()).toEqual(["rev-parse", "version"]);
  const home = join(repo.parent, "home");
  mkdirSync(home);
  expect((await opened(repo.dir, { HOME: home })).commands.sort()).toEqual(["rev-parse", "version"]);
  const bin = join(repo.parent, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "git"), "#!/bin/sh\necho git version 2.20.0\n");
  chmodSync(join(bin, "git"), 0o755);
  await expect(opened(repo.dir, { HOME: home, PATH: `${bin}:${hermeticEnv()["PATH"]}` })).rejects.toMatchObject({ code: "GIT_TOO_OLD" });
});

test("nothing is written into a repository that graftwork has no folder in", async () => {
  const repo = tempRepo();
  await opened(repo.dir);
  expect((await opened(repo.dir)).commands.sort()).toEqual(["rev-parse", "version"]);
});

test("a nested repository is not taken for the one around it", async () => {
  const repo = withFolderOfOurs();
  await opened(repo.dir);
  const inner = join(repo.dir, "inner");
  repo.git("init", "-q", inner);
  expect((await opened(inner)).root).toBe(realpathSync(inner));
  const bare = join(repo.dir, "bare.git");
  repo.git("init", "-q", "--bare", bare);
  await expect(opened(bare)).rejects.toMatchObject({ code: "REPOSITORY_UNSUPPORTED" });
});

test("what a branch that was deleted makes git write anew is no other configuration", async () => {
  const repo = withFolderOfOurs();
  await opened(repo.dir);
  repo.git("branch", "gone");
  repo.git("branch", "-q", "-D", "gone");
  expect((await opened(repo.dir)).commands).toEqual([]);
});
