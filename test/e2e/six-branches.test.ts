import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commitFiles, fakeAgent, hermeticEnv, runCli, type TempRepo, writeFiles } from "../fixtures/index.ts";
import { poolStage } from "./pool-stage.ts";
import { PROJECT, SIX } from "./six-branches.ts";

/** Six branches are verified alone and then together, each time in a new folder. */
const LIMIT_MS = 180_000;
const UNSAVED = { "notes.txt": "notes\nof mine, \r\n unsaved", "scratch.txt": "\u0000untracked" };

/** What is on main is whole and green, and the user's unsaved files are as they were. */
function checkMain(repo: TempRepo, landed: readonly string[]): void {
  for (const task of landed) repo.git("merge-base", "--is-ancestor", `auto/${task}`, "main");
  for (const task of landed)
    for (const [path, text] of Object.entries(SIX[task] ?? {})) expect(readFileSync(join(repo.dir, path), "utf8")).toBe(text);
  expect(spawnSync(process.execPath, ["test.js"], { cwd: repo.dir, env: hermeticEnv() }).status).toBe(0);
  for (const [path, text] of Object.entries(UNSAVED)) expect(readFileSync(join(repo.dir, path), "utf8")).toBe(text);
  expect(repo.git("status", "--porcelain", "--", ".", ":!.claude")).toBe(" M notes.txt\n?? scratch.txt");
  expect(repo.git("branch", "--show-current")).toBe("main");
}

/** Of each pair one is in, whichever; the other one is out. */
function sides(landed: readonly string[]): { landed: string[]; collided: string; culprit: string } {
  const out = Object.keys(SIX).filter((task) => !landed.includes(task));
  const collided = out.find((task) => task.startsWith("text-")) ?? "";
  const culprit = out.find((task) => task.endsWith("-add")) ?? "";
  expect(out.sort()).toEqual([collided, culprit].sort());
  return { landed: [...landed], collided, culprit };
}

test(
  "by hand: all of six branches that can land do, main is green, the culprit and the collision are named with their files",
  async () => {
    const stage = await poolStage(6, { files: PROJECT });
    for (const [task, files] of Object.entries(SIX)) commitFiles((await stage.lease(task)).path, files);
    writeFiles(stage.repo.dir, UNSAVED);
    const merged = await stage.pool("merge");
    expect(merged.code).toBe(5);
    const said = /^Merged: (.*)$/m.exec(merged.stdout)?.[1]?.split(", ") ?? [];
    const { landed, collided, culprit } = sides(said.map((branch) => branch.replace("auto/", "")));
    checkMain(stage.repo, landed);
    expect(merged.stdout).toMatch(new RegExp(`auto/${collided}: conflict in settings\\.txt with text-\\d`));
    expect(merged.stdout).toMatch(new RegExp(`auto/${culprit}: it passes alone and fails together with .*: .test. failed`));
    expect(await stage.status()).toMatchObject({ busy: 6 });
  },
  LIMIT_MS,
);

test(
  "in a run: the collision is a packet with both sides' files, the culprit is failed with the log",
  async () => {
    const script = Object.entries(SIX).map(([task, files]) => [
      task,
      [[...Object.entries(files).map(([write, text]) => ({ write, text })), { commit: task }, { promise: "READY_FOR_QA" }]],
    ]);
    const agent = fakeAgent(Object.fromEntries(script));
    const config = {
      agents: { default: "fake", fake: { command: agent.command } },
      merge: { on_conflict: ["resolvers", "person"] },
      parallelization: { max_agents: 6, auto_cleanup: false },
    };
    const { repo } = await poolStage(6, { files: { ...PROJECT, ".claude/auto-context.yaml": JSON.stringify(config) } });
    writeFiles(repo.dir, UNSAVED);
    const plan = join(repo.parent, "plan.json");
    const tasks = Object.keys(SIX).map((id) => ({ id, title: `do ${id}`, retries: 0 }));
    writeFileSync(plan, JSON.stringify({ version: 1, name: "six", verification: ["npm test"], tasks }));
    const end = await runCli(["run", plan, "--yes", "--json"], { cwd: repo.dir });
    expect(end.code).toBe(5);
    const result = JSON.parse(end.stdout) as { run: string; tasks: { id: string; status: string; last_error: string | null }[] };
    const { landed, collided, culprit } = sides(result.tasks.flatMap(({ id, status }) => (status === "done" ? [id] : [])));
    checkMain(repo, landed);
    expect(result.tasks.find(({ id }) => id === culprit)).toMatchObject({
      status: "failed",
      last_error: expect.stringMatching(/it passes alone and fails together with[\s\S]*is not a function/),
    });
    const packet = join(repo.dir, ".claude/conflicts", result.run, collided);
    expect(JSON.parse(readFileSync(join(packet, "packet.json"), "utf8"))).toMatchObject({
      task: collided,
      files: [{ path: "settings.txt", kind: "content" }],
    });
    expect(readFileSync(join(packet, "theirs/settings.txt"), "utf8")).toBe(SIX[collided]?.["settings.txt"]);
  },
  LIMIT_MS,
);
