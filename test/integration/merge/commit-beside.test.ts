import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { landingPoints, reset, type Stage, stage, startLanding } from "../../faults/landing/lab.ts";
import { atEnd, hermeticEnv } from "../../fixtures/index.ts";

/** A person's commit that stays where git has read HEAD and the index, and not locked it, until `goOn`. */
function slowCommit({ repo }: Stage): { hasRead: () => boolean; goOn: () => void; code: Promise<number | null> } {
  const [asked, gate, hook] = ["asked", "gate", "hook"].map((name) => join(repo.parent, name));
  if (asked === undefined || gate === undefined || hook === undefined) throw new Error("no paths");
  execFileSync("mkfifo", [gate]);
  writeFileSync(hook, `#!/bin/sh\n: > '${asked}'\ncat '${gate}'\nprintf 'x\\0/\\0'\n`);
  chmodSync(hook, 0o755);
  const args = [
    "-c",
    `core.fsmonitor=${hook}`,
    "-c",
    "user.name=p",
    "-c",
    "user.email=p@p",
    "commit",
    "-q",
    "--allow-empty",
    "-m",
    "person",
  ];
  const child = spawn("git", args, { cwd: repo.dir, env: hermeticEnv(), stdio: "ignore" });
  atEnd(() => void child.kill("SIGKILL"));
  const code = once(child, "close").then(([code]) => code as number | null);
  return { hasRead: () => existsSync(asked), goOn: () => writeFileSync(gate, ""), code };
}

test.each([
  ["before", "spawn.git-update-ref"],
  ["after", "done.spawn.git-update-ref"],
])("a commit of a person's that began just %s the target moved takes nothing back of what lands", async (_, point) => {
  const made = stage(3);
  const number = (await landingPoints(made)).lastIndexOf(point) + 1;
  reset(made);
  const { child, ended } = await startLanding(made, { GRAFTWORK_FAILPOINT: `*@${number}=stop` });
  const state = (): string => spawnSync("ps", ["-o", "stat=", "-p", String(child.pid)], { encoding: "utf8" }).stdout;
  while (!state().startsWith("T")) await new Promise(setImmediate);
  const commit = slowCommit(made);
  while (!commit.hasRead()) await new Promise(setImmediate);
  child.kill("SIGCONT");
  await ended;
  commit.goOn();
  await commit.code;
  expect(made.repo.git("diff", "--stat", made.to, "main")).toBe("");
  expect(made.repo.git("merge-base", made.to, "main")).toBe(made.to);
  expect(made.repo.git("status", "--porcelain")).toBe("");
});
