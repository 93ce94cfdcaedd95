import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRepository } from "../../src/git/index.ts";
import { acquireSlot, processOwner } from "../../src/pool/index.ts";
import { commitFiles, git, hermeticEnv, writeFiles } from "../fixtures/index.ts";
import { contextOf } from "../integration/pool/lab.ts";
import { type PoolStage, poolStage, rescuesOf, viewOf } from "./pool-stage.ts";

/** A lease of this very process, which is alive: what a run in another terminal has. */
async function leaseOfLiveRun(stage: PoolStage, task: string): Promise<string> {
  const repository = await openRepository(stage.repo.dir, { parentEnv: hermeticEnv() });
  const context = { ...contextOf(repository), owner: processOwner("run-1"), run: "run-1" };
  return (await acquireSlot(context, { task })).path;
}

describe("conformance: release", () => {
  test("24: a merged, clean slot: RELEASED:wt-1, exit 0", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("x");
    commitFiles(path, { "work.txt": "w\n" });
    stage.repo.git("merge", "-q", "--ff-only", "auto/x");
    expect(await stage.pool("release", "wt-1")).toEqual({ code: 0, signal: null, stdout: "RELEASED:wt-1\n", stderr: "" });
    expect(await stage.status()).toMatchObject({ idle: 1 });
    expect(rescuesOf(stage)).toEqual([]);
  });

  test("25: unmerged commits stay reachable, with --discard too: that throws unsaved files away and no commit", async () => {
    const stage = await poolStage(2);
    const tips: string[] = [];
    for (const [task, ...flags] of [["kept"], ["discarded", "--discard"]]) {
      const { path } = await stage.lease(task ?? "");
      tips.push(commitFiles(path, { "work.txt": `${task}\n` }));
      writeFileSync(join(path, "unsaved.txt"), "u");
      expect(await stage.pool("release", task ?? "", ...flags)).toMatchObject({ code: 0 });
      expect(existsSync(join(path, "unsaved.txt"))).toBe(false);
    }
    expect([stage.repo.git("rev-parse", "auto/kept"), stage.repo.git("rev-parse", "auto/discarded")]).toEqual(tips);
    expect(rescuesOf(stage)).toEqual(["refs/graftwork/rescue/kept/1"]);
  });

  test("26: uncommitted, staged and untracked files are under a named ref, and git show has their content", async () => {
    const stage = await poolStage(1, { files: { "kept.txt": "kept\n", "gone.txt": "gone\n" } });
    const { path } = await stage.lease("x");
    writeFiles(path, { "kept.txt": "changed\n", "gone.txt": null, "staged.txt": "staged\n", "deep/new.txt": "new\n" });
    git(path, "add", "staged.txt");
    const released = await stage.pool("release", "x", "--json");
    expect(JSON.parse(released.stdout)).toMatchObject({ ok: true, slot: "wt-1", rescue: "x/1" });
    const saved = "refs/graftwork/rescue/x/1";
    expect(["kept.txt", "staged.txt", "deep/new.txt"].map((file) => stage.repo.git("show", `${saved}:${file}`))).toEqual([
      "changed",
      "staged",
      "new",
    ]);
    expect(stage.repo.git("ls-tree", "-r", "--name-only", saved).split("\n")).not.toContain("gone.txt");
  });

  test("27: release of wt-99 and of a path: exit 1, nothing is removed", async () => {
    const stage = await poolStage(1);
    const victim = join(stage.repo.parent, "victim");
    mkdirSync(victim);
    for (const name of ["wt-99", "../../victim"])
      expect(await stage.pool("release", name)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("error[SLOT_UNKNOWN]"),
      });
    expect(existsSync(victim)).toBe(true);
    expect(await stage.status()).toMatchObject({ pool_size: 1, idle: 1 });
  });

  test("28: a second release: the same line, exit 0, nothing changes", async () => {
    const stage = await poolStage(1);
    await stage.lease("x");
    await stage.pool("release", "wt-1");
    const before = await stage.everything();
    expect(await stage.pool("release", "wt-1")).toEqual({ code: 0, signal: null, stdout: "RELEASED:wt-1\n", stderr: "" });
    expect(await stage.everything()).toBe(before);
  });

  test("29: the next lease of a slot finds nothing of the last one; ignored files stay only in a folder that pool.keep names", async () => {
    const stage = await poolStage(1, {
      files: { ".gitignore": "*.log\n/build/\n/cache/\n", ".claude/auto-context.yaml": "pool: {keep: [/cache/]}\n" },
    });
    const { path } = await stage.lease("x");
    writeFiles(path, { "new.txt": "n", "run.log": "l", "build/out.js": "o", "cache/warm": "c", "README.md": "changed\n" });
    git(path, "add", "new.txt");
    git(path, "update-index", "--assume-unchanged", "README.md");
    await stage.pool("release", "x");
    expect((await stage.lease("y")).path).toBe(path);
    expect(git(path, "status", "--porcelain", "--ignored")).toBe("!! cache/");
    expect(readFileSync(join(path, "README.md"), "utf8")).toBe("# sample\n");
    expect(readFileSync(join(path, "cache/warm"), "utf8")).toBe("c");
    expect(
      git(path, "ls-files", "-v")
        .split("\n")
        .filter((line) => !line.startsWith("H ")),
    ).toEqual([]);
  });
});

describe("conformance: cleanup and reset", () => {
  test("30: cleanup keeps auto/mine-by-hand; nothing is left to prune; the next init begins with idle slots", async () => {
    const stage = await poolStage(2);
    stage.repo.git("branch", "auto/mine-by-hand");
    await stage.lease("x");
    expect(await stage.pool("cleanup")).toMatchObject({ code: 0, stdout: "Pool removed: 2 slots, 1 merged branch deleted\n" });
    expect(stage.branches()).toEqual(["auto/mine-by-hand"]);
    expect([stage.worktrees(), stage.repo.git("worktree", "prune", "-n")]).toEqual([[], ""]);
    expect(existsSync(join(stage.repo.dir, ".claude/worktree-pool"))).toBe(false);
    await stage.pool("init", "2");
    expect(await stage.status()).toMatchObject({ pool_size: 2, idle: 2 });
    expect(stage.repo.git("worktree", "prune", "-n")).toBe("");
    expect(await stage.pool("health")).toMatchObject({ code: 0 });
  });

  test("31: reset 5 while a live run holds a slot: exit 3; with --force its unsaved work is a rescue, its branch is kept", async () => {
    const stage = await poolStage(2);
    const path = await leaseOfLiveRun(stage, "x");
    const tip = commitFiles(path, { "work.txt": "w\n" });
    writeFileSync(join(path, "unsaved.txt"), "u\n");
    const before = await stage.everything();
    const refused = await stage.pool("reset", "5");
    expect(refused).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringMatching(/a live run holds wt-1[\s\S]*x of run run-1 has held wt-1 for .*pid \d+ lives/),
    });
    expect(await stage.everything()).toBe(before);
    expect(await stage.pool("reset", "5", "--force")).toMatchObject({ code: 0, stdout: "Pool initialized: 5 slots available\n" });
    expect(stage.repo.git("show", "refs/graftwork/rescue/x/1:unsaved.txt")).toBe("u");
    expect(stage.repo.git("rev-parse", "auto/x")).toBe(tip);
    expect(await stage.status()).toMatchObject({ pool_size: 5, idle: 5 });
  });

  test("31: reset with a shell's unmerged work: it is rescued and released, no --force needed", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("x");
    const tip = commitFiles(path, { "work.txt": "w\n" });
    writeFileSync(join(path, "unsaved.txt"), "u\n");
    expect(await stage.pool("reset", "2")).toMatchObject({ code: 0, stdout: "Pool initialized: 2 slots available\n" });
    expect(stage.repo.git("show", "refs/graftwork/rescue/x/1:unsaved.txt")).toBe("u");
    expect(stage.repo.git("rev-parse", "auto/x")).toBe(tip);
  });

  test("31: a size that is none is refused before anything is released", async () => {
    const stage = await poolStage(1);
    await stage.lease("x");
    const before = await stage.everything();
    expect(await stage.pool("reset", "none")).toMatchObject({ code: 2, stdout: "" });
    expect(await stage.everything()).toBe(before);
    expect(viewOf(stage).worktrees[0]).toMatchObject({ status: "busy" });
  });
});
