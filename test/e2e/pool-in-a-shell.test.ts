import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { hermeticEnv, tempRepo } from "../fixtures/index.ts";
import { type PoolStage, poolOf, poolStage } from "./pool-stage.ts";

const MANAGER = `'${process.execPath}' '${resolve("bin/pool-manager.js")}'`;

function bash(stage: PoolStage, script: string, cwd = stage.repo.dir) {
  const own = hermeticEnv();
  // The home is another, the user's state is the same.
  const env = { ...own, XDG_STATE_HOME: join(own["HOME"] ?? "", ".local/state"), HOME: stage.repo.parent, MANAGER };
  return promisify(execFile)("bash", ["-c", script], { cwd, env, timeout: 30_000 });
}

describe("who stands in the slot", () => {
  test("a release ends what runs there, and not what its own output is piped into", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("t");
    const server = spawn("sleep", ["60"], { cwd: path, stdio: "ignore" });
    const ended = new Promise((done) => server.on("exit", (_, signal) => done(signal)));
    const { stdout } = await bash(stage, `${MANAGER} release t | cat | tee out.txt; echo "\${PIPESTATUS[@]}"`, path);
    expect(stdout).toBe("RELEASED:wt-1\n0 0 0\n");
    expect(await ended).toBe("SIGTERM");
  });

  test("a terminal's own shell lives on, a program that it runs does not", async (context) => {
    if (process.platform !== "linux") context.skip("only /proc tells whose terminal it is");
    if (!existsSync("/usr/bin/script")) context.skip("there is no script(1), which gives a program a terminal");
    const stage = await poolStage(1);
    const { path } = await stage.lease("t");
    const inner = `cd '${path}'; sleep 60; echo shell lives > '${stage.repo.parent}/said'`;
    const terminal = spawn("script", ["-qec", inner, "/dev/null"], {
      cwd: stage.repo.parent,
      stdio: "ignore",
      env: { ...hermeticEnv(), SHELL: "/bin/bash" },
    });
    const over = new Promise((done) => terminal.on("exit", done));
    await expect
      .poll(async () => (await bash(stage, "pgrep -f '^sleep 60$' | xargs -I{} readlink /proc/{}/cwd || true")).stdout, { timeout: 10_000 })
      .toContain(path);
    expect((await stage.pool("release", "t")).stdout).toBe("RELEASED:wt-1\n");
    await over;
    expect(readFileSync(join(stage.repo.parent, "said"), "utf8")).toBe("shell lives\n");
  });
});

test("whose reader has left ends as it would have, without a stack", async () => {
  const stage = await poolStage(1);
  const { stdout, stderr } = await bash(stage, `${MANAGER} status | true; echo "\${PIPESTATUS[0]}"`);
  expect([stdout, stderr]).toEqual(["0\n", ""]);
});

test("an answer that finds no room is said in three parts", async (context) => {
  if (!existsSync("/dev/full")) context.skip("there is no /dev/full");
  const stage = await poolStage(1);
  const { stdout, stderr } = await bash(stage, `${MANAGER} status > /dev/full; echo "$?"`);
  expect(stdout).toBe("1\n");
  expect(stderr).toMatch(/^error\[STATE_UNWRITABLE\]: .*\n {2}because: .*ENOSPC.*\n {2}try: .*\n$/);
});

test("Ctrl-C during an init ends what it had started, and the next verb puts the rest right", async () => {
  const repo = tempRepo();
  const stage = poolOf(repo);
  mkdirSync(join(repo.dir, ".claude"));
  writeFileSync(join(repo.dir, ".claude/auto-context.yaml"), "pool:\n  setup: ['echo $$ > ../started; exec sleep 60']\n");
  const init = stage.start("init", "1");
  const started = join(`${repo.dir}.pool`, "started");
  await expect.poll(() => existsSync(started) && readFileSync(started, "utf8").trim() !== "", { timeout: 20_000 }).toBe(true);
  const pid = Number(readFileSync(started, "utf8"));
  init.child.kill("SIGINT");
  expect(await init.result).toMatchObject({ signal: "SIGINT", stderr: expect.stringContaining("interrupted; the next verb") });
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  writeFileSync(join(repo.dir, ".claude/auto-context.yaml"), "pool:\n  setup: none\n");
  expect(await stage.pool("init", "1")).toMatchObject({ code: 0 });
  expect(await stage.status()).toMatchObject({ idle: 1 });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
