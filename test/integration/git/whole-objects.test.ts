import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isWhole, openRepository } from "../../../src/git/index.ts";
import { atEnd, hermeticEnv, runCli, type TempRepo, tempRepo } from "../../fixtures/index.ts";

/** Stands for a `git gc` that is at work: git writes its number and machine so. */
function collection(repo: TempRepo, ...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "--", "gc", ...args], { stdio: "ignore" });
  atEnd(() => void child.kill("SIGKILL"));
  writeFileSync(join(repo.dir, ".git/gc.pid"), `${child.pid} ${hostname()}`);
  return child;
}

async function stage(): Promise<{ repo: TempRepo; whole: () => Promise<boolean>; loseBlob: () => void }> {
  const repo = tempRepo();
  const base = repo.git("rev-parse", "HEAD");
  const tip = repo.commit({ "a.txt": "a\n" });
  const blob = repo.git("rev-parse", "HEAD:a.txt");
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  return {
    repo,
    whole: () => isWhole(repository, tip, [base]),
    loseBlob: () => rmSync(join(repo.dir, ".git/objects", blob.slice(0, 2), blob.slice(2))),
  };
}

describe("whether all of a commit is there and stays", () => {
  test("is said when a collection that takes young objects has ended: what it deletes last is missed", async () => {
    for (const [args, config] of [
      [["--prune=now"], []],
      [["--auto"], ["gc.pruneExpire", "now"]],
    ] as const) {
      const { repo, whole, loseBlob } = await stage();
      if (config.length > 0) repo.git("config", ...config);
      const running = collection(repo, ...args);
      const answer = whole();
      // Time enough for an answer that does not wait.
      await runCli(["--version"], { cwd: repo.dir });
      loseBlob();
      running.kill("SIGKILL");
      expect(await answer).toBe(false);
    }
  });

  test("is said at once beside a collection that spares what is young, and where one was killed or is another machine's", async () => {
    const { repo, whole } = await stage();
    collection(repo, "--auto");
    expect(await whole()).toBe(true);
    for (const note of [`4194304 ${hostname()}`, `${process.pid} elsewhere`, ""]) {
      writeFileSync(join(repo.dir, ".git/gc.pid"), note);
      expect(await whole()).toBe(true);
    }
  });
});
