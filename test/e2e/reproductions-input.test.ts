import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeAgent, startCli, WITH_DEPENDENCY, writeFiles } from "../fixtures/index.ts";
import { barePath, healthy, newestRecord, poolStage, rescuesOf, viewOf } from "./pool-stage.ts";

describe("faults of the pool manager before this one: what it is told", () => {
  test.each(['a"b', "a'b"])("18: acquire %s: refused before anything is made", async (id) => {
    const stage = await poolStage(1);
    const [before, record] = [await stage.everything(), newestRecord(stage)];
    expect(await stage.pool("acquire", id)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("error[ID_INVALID]") });
    expect(await stage.everything()).toBe(before);
    expect(newestRecord(stage)).toBe(record);
  });

  test.each(["a/b", "a/b/c", "-x", "a|b"])("19: acquire %s: refused, so no two ids can get into each other's way", async (id) => {
    const stage = await poolStage(1);
    const before = await stage.everything();
    const refused = await stage.pool("acquire", id);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^error\[(?:ID_INVALID|USAGE)\]: /);
    expect(await stage.everything()).toBe(before);
  });

  test("19: ids that differ in case alone are one task", async () => {
    const stage = await poolStage(2);
    await stage.lease("Login");
    expect(await stage.pool("acquire", "login")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^wt-1\|.*\|auto\/Login\n$/) });
    expect(await stage.status()).toMatchObject({ busy: 1 });
  });

  test("19: a branch named auto: refused with the way out, which works", async () => {
    const stage = await poolStage(1);
    stage.repo.git("branch", "auto");
    const before = await stage.everything();
    const refused = await stage.pool("acquire", "x");
    expect(refused).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringMatching(/A branch named auto exists[\s\S]*pool\.branch_prefix/),
    });
    expect(await stage.everything()).toBe(before);
    writeFiles(stage.repo.dir, { ".claude/auto-context.yaml": "pool: {branch_prefix: bot}\n" });
    expect((await stage.lease("x")).branch).toBe("bot/x");
  });

  test.each(["0", "abc", "-1"])("20: init %s: exit 2, no byte of the state changed, the pool works", async (size) => {
    const stage = await poolStage(1);
    const view = join(stage.repo.dir, ".claude/pool-state.json");
    const before = [readFileSync(view, "utf8"), newestRecord(stage), readFileSync(newestRecord(stage), "utf8")];
    expect(await stage.pool("init", size)).toMatchObject({ code: 2, stdout: "" });
    expect([readFileSync(view, "utf8"), newestRecord(stage), readFileSync(newestRecord(stage), "utf8")]).toEqual(before);
    expect((await stage.lease("x")).id).toBe("wt-1");
  });
});

describe("faults of the pool manager before this one: damage and repair", () => {
  test("14: health on a fresh pool, on one with a busy slot's folder gone, and where there is none: three answers", async () => {
    const stage = await poolStage(2);
    expect(await stage.pool("health")).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(healthy(2)) });
    await stage.lease("x");
    rmSync(stage.slot("wt-1"), { recursive: true });
    const sick = await stage.pool("health");
    expect(sick).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^Pool health: 1 finding\n {3}Slots: 2 .*\n- wt-1: its folder .* is gone\n {4}repair: /),
    });
    await stage.pool("cleanup");
    rmSync(join(stage.repo.dir, ".git/graftwork/pool"), { recursive: true, force: true });
    expect(await stage.pool("health")).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("error[POOL_MISSING]") });
  });

  test("21: a torn record is named by every verb and repaired by health --fix, with the busy slot's work kept", async () => {
    const stage = await poolStage(2);
    const { path } = await stage.lease("x");
    writeFileSync(join(path, "unsaved.txt"), "u\n");
    truncateSync(newestRecord(stage), 60);
    for (const verb of [["status"], ["acquire", "y"], ["release", "wt-1"]])
      expect(await stage.pool(...verb)).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("error[STATE_DAMAGED]") });
    expect(await stage.pool("health")).toMatchObject({ code: 1, stdout: expect.stringContaining("Pool health: 1 finding") });
    expect(await stage.pool("health", "--fix")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("repaired: put the damaged record aside"),
    });
    expect(await stage.pool("health")).toMatchObject({ code: 0, stdout: expect.stringContaining("Pool health: OK") });
    const kept = existsSync(join(path, "unsaved.txt"))
      ? readFileSync(join(path, "unsaved.txt"), "utf8")
      : `${stage.repo.git("show", `${rescuesOf(stage)[0]}:unsaved.txt`)}\n`;
    expect(kept).toBe("u\n");
  });

  test("21: a torn view is no state: every verb works, and the next change writes it whole", async () => {
    const stage = await poolStage(1);
    truncateSync(join(stage.repo.dir, ".claude/pool-state.json"), 60);
    expect(await stage.status()).toMatchObject({ idle: 1 });
    await stage.lease("x");
    expect(viewOf(stage).worktrees).toMatchObject([{ id: "wt-1", status: "busy", task_id: "x" }]);
  });

  test("26: with git, sh and node alone on the PATH two acquires get two slots and the first one's file stays", async () => {
    const stage = await poolStage(2);
    const bare = stage.as({ PATH: barePath(stage) });
    const first = await bare.lease("x");
    writeFileSync(join(first.path, "unsaved.txt"), "u");
    expect((await bare.lease("y")).id).toBe("wt-2");
    expect(readFileSync(join(first.path, "unsaved.txt"), "utf8")).toBe("u");
    expect(await bare.status()).toMatchObject({ busy: 2 });
    expect(await bare.pool("release", "x")).toMatchObject({ code: 0 });
    expect(await bare.pool("health")).toMatchObject({ code: 0 });
  });

  test("27: a lease whose time has passed is taken back when a slot is needed, its work rescued first", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("x", "--ttl", "1s");
    writeFileSync(join(path, "unsaved.txt"), "u\n");
    const waiting = await stage.pool("acquire", "y", "--wait", "60");
    expect(waiting).toMatchObject({ code: 0, stdout: `wt-1|${path}|auto/y\n`, stderr: expect.stringContaining("its time has passed") });
    expect(stage.repo.git("show", "refs/graftwork/rescue/x/1:unsaved.txt")).toBe("u");
    expect(stage.branches()).toEqual(["auto/x", "auto/y"]);
  });

  test("27: the slot of a run that was killed is taken back when one is needed, its agent's work rescued first", async () => {
    const stage = await poolStage(1);
    const agent = fakeAgent({ x: [[{ write: "unsaved.txt", text: "u\n" }, { print: "at work" }, { hang: true }]] });
    const config = { agents: { default: "fake", fake: { command: agent.command } }, parallelization: { max_agents: 1 } };
    stage.repo.commit({ ".claude/auto-context.yaml": JSON.stringify(config) });
    const plan = join(stage.repo.parent, "plan.json");
    writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks: [{ id: "x", title: "X" }] }));
    const run = startCli(["run", plan, "--yes"], { cwd: stage.repo.dir });
    await run.saw(/attempt 1 by/);
    const note = join(stage.slot("wt-1"), "unsaved.txt");
    await expect.poll(() => existsSync(note), { timeout: 30_000, interval: 20 }).toBe(true);
    expect(await stage.pool("acquire", "y")).toMatchObject({
      code: 3,
      stdout: "POOL_EXHAUSTED\n",
      stderr: expect.stringMatching(/pid \d+ lives/),
    });
    run.child.kill("SIGKILL");
    await run.result;
    const taken = await stage.pool("acquire", "y");
    expect(taken).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^wt-1\|/),
      stderr: expect.stringContaining("its owner is gone"),
    });
    expect(rescuesOf(stage).map((ref) => stage.repo.git("show", `${ref}:unsaved.txt`))).toEqual(["u"]);
  });

  test("28: a slot has its dependencies before it is handed out, and the next task finds them there", async () => {
    const stage = await poolStage(1, { files: WITH_DEPENDENCY });
    for (const task of ["x", "y"]) {
      const { path } = await stage.lease(task);
      expect(readFileSync(join(path, "node_modules/dep/index.js"), "utf8")).toContain("42");
      await stage.pool("release", task);
    }
  });
});
