import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commitFiles, git, writeFiles } from "../fixtures/index.ts";
import { poolStage, rescuesOf, viewOf } from "./pool-stage.ts";

/** The numbers are those of the faults that were found in the pool manager which this one takes the place of. */
describe("faults of the pool manager before this one: races and lost work", () => {
  test("1: eight acquires at once on eight slots, five rounds: each time eight exits 0, eight slots, eight branches", async () => {
    const stage = await poolStage(8);
    for (let round = 0; round < 5; round++) {
      const all = await Promise.all(Array.from({ length: 8 }, (_, n) => stage.pool("acquire", `r${round}-t${n}`)));
      expect(all.map(({ code }) => code)).toEqual(Array(8).fill(0));
      const slots = all.map(({ stdout }) => stdout.split("|")[0] ?? "");
      expect(new Set(slots).size).toBe(8);
      expect(stage.branches()).toHaveLength(8 * (round + 1));
      expect((await stage.state()).slots.map(({ status }) => status)).toEqual(Array(8).fill("busy"));
      await Promise.all(slots.map((slot) => stage.pool("release", slot)));
    }
  });

  test("2: four releases at once: four idle slots, all their folders there", async () => {
    const stage = await poolStage(4);
    for (const task of ["a", "b", "c", "d"]) await stage.lease(task);
    const released = await Promise.all([1, 2, 3, 4].map((n) => stage.pool("release", `wt-${n}`)));
    expect(released.map(({ code, stdout }) => [code, stdout])).toEqual([1, 2, 3, 4].map((n) => [0, `RELEASED:wt-${n}\n`]));
    expect(await stage.status()).toMatchObject({ busy: 0, idle: 4, error: 0 });
    expect(stage.worktrees()).toEqual([1, 2, 3, 4].map((n) => stage.slot(`wt-${n}`)));
  });

  test("3: a release keeps the branch with what was committed in the slot, also after a garbage collection", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("x");
    const tip = commitFiles(path, { "work.txt": "work\n" });
    expect(await stage.pool("release", "wt-1")).toMatchObject({ code: 0, stdout: "RELEASED:wt-1\n" });
    stage.repo.git("gc", "-q", "--prune=now");
    expect(stage.repo.git("rev-parse", "auto/x")).toBe(tip);
    expect(stage.repo.git("show", "auto/x:work.txt")).toBe("work");
  });

  test("4: a release saves a file that was not committed, and says where", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("x");
    writeFileSync(join(path, "u"), "unsaved\n");
    const released = await stage.pool("release", "wt-1");
    expect(released).toMatchObject({ code: 0, stderr: expect.stringContaining("rescue show x/1") });
    expect(existsSync(join(path, "u"))).toBe(false);
    expect(stage.repo.git("show", "refs/graftwork/rescue/x/1:u")).toBe("unsaved");
  });

  test("5: init again leaves busy slots and their files alone; a smaller size that would take one is refused", async () => {
    const stage = await poolStage(2);
    const [one, two] = [await stage.lease("x"), await stage.lease("y")];
    for (const { path } of [one, two]) writeFileSync(join(path, "at-work.txt"), "mine");
    const before = await stage.everything();
    expect(await stage.pool("init", "2")).toMatchObject({ code: 0, stdout: "Pool initialized: 2 slots available\n" });
    expect(await stage.pool("init", "1")).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringMatching(/y of run shell has held wt-2/),
    });
    expect(await stage.everything()).toBe(before);
    expect(await stage.pool("init", "3")).toMatchObject({ code: 0 });
    expect(await stage.status()).toMatchObject({ pool_size: 3, busy: 2, idle: 1 });
    for (const { path } of [one, two]) expect(readFileSync(join(path, "at-work.txt"), "utf8")).toBe("mine");
  });

  test("6: an unmerged branch of an earlier life of the pool is left alone: the task works on auto/x-2", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("x");
    const tip = commitFiles(path, { "old.txt": "old\n" });
    // As a crash that takes all records does it: nobody knows any more that the branch was ours.
    rmSync(join(stage.repo.dir, ".git/graftwork"), { recursive: true });
    await stage.pool("init", "1");
    const again = await stage.pool("acquire", "x");
    expect(again).toMatchObject({ code: 0, stdout: `wt-1|${stage.slot("wt-1")}|auto/x-2\n` });
    expect(again.stderr).toContain("auto/x already exists; using auto/x-2");
    expect(stage.repo.git("rev-parse", "auto/x")).toBe(tip);
  });

  test("6: its own unmerged branch goes on where it stands", async () => {
    const stage = await poolStage(1);
    const { path } = await stage.lease("x");
    const tip = commitFiles(path, { "old.txt": "old\n" });
    await stage.pool("release", "x");
    stage.repo.commit({ "main.txt": "main moved\n" });
    const again = await stage.lease("x");
    expect(again.branch).toBe("auto/x");
    expect([git(again.path, "rev-parse", "HEAD"), stage.repo.git("rev-parse", "auto/x")]).toEqual([tip, tip]);
  });

  test("7: cleanup deletes merged branches that acquire made, keeps unmerged ones and everybody else's", async () => {
    const stage = await poolStage(3);
    for (const branch of ["auto/mine-by-hand", "auto/merged-by-hand"]) stage.repo.git("branch", branch);
    const byHand = stage.repo.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "by hand");
    stage.repo.git("update-ref", "refs/heads/auto/mine-by-hand", byHand);
    await stage.lease("merged");
    const open = await stage.lease("open");
    commitFiles(open.path, { "open.txt": "open\n" });
    const done = await stage.pool("cleanup");
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/1 merged branch deleted\nKept \(not merged\): auto\/open$/m) });
    expect(stage.branches()).toEqual(["auto/merged-by-hand", "auto/mine-by-hand", "auto/open"]);
    expect(stage.repo.git("rev-parse", "auto/mine-by-hand")).toBe(byHand);
  });

  test("8: after cleanup the state knows nothing of the leases that were, and no slot is lost", async () => {
    const stage = await poolStage(2);
    await stage.lease("x");
    await stage.pool("cleanup");
    expect(existsSync(join(stage.repo.dir, ".claude/pool-state.json"))).toBe(false);
    expect(await stage.pool("status")).toMatchObject({ code: 1, stderr: expect.stringContaining("error[POOL_MISSING]") });
    await stage.pool("init", "2");
    expect(viewOf(stage).worktrees.map(({ status, task_id }) => [status, task_id])).toEqual([
      ["idle", null],
      ["idle", null],
    ]);
    expect([(await stage.lease("y")).id, (await stage.lease("z")).id]).toEqual(["wt-1", "wt-2"]);
  });

  test.each(["../../victim", "../victim", "wt-1/../../victim", "victim"])(
    "9: release %s names no slot, so nothing is removed",
    async (name) => {
      const stage = await poolStage(1);
      const victims = [join(stage.repo.dir, "victim"), join(stage.repo.parent, "victim"), join(`${stage.repo.dir}.pool`, "victim")];
      for (const victim of victims) {
        mkdirSync(victim);
        writeFileSync(join(victim, "precious"), "p");
      }
      const before = await stage.everything();
      expect(await stage.pool("release", name)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("error[SLOT_UNKNOWN]"),
      });
      expect(await stage.pool("release", name, "--force", "--discard")).toMatchObject({ code: 1, stdout: "" });
      for (const victim of victims) expect(readFileSync(join(victim, "precious"), "utf8")).toBe("p");
      expect(await stage.everything()).toBe(before);
    },
  );
});

describe("faults of the pool manager before this one: where it is used", () => {
  test("22: from a sub-folder and from inside of a slot it is the one pool, and init makes no pool in a pool", async () => {
    const stage = await poolStage(1);
    mkdirSync(join(stage.repo.dir, "deep/er"), { recursive: true });
    expect(await stage.as({}, join(stage.repo.dir, "deep/er")).status()).toMatchObject({ pool_size: 1, idle: 1 });
    const inside = stage.as({}, stage.slot("wt-1"));
    expect(await inside.pool("init", "2")).toMatchObject({ code: 0, stdout: "Pool initialized: 2 slots available\n" });
    expect(stage.worktrees()).toEqual([stage.slot("wt-1"), stage.slot("wt-2")]);
    expect(existsSync(`${stage.slot("wt-1")}.pool`)).toBe(false);
    expect((await inside.lease("x")).path).toBe(realpathSync(stage.slot("wt-1")));
  });

  test("23: a detached HEAD: the base is its commit; an empty repository: the reason, and nothing made", async () => {
    const stage = await poolStage(1);
    stage.repo.git("checkout", "-q", "--detach");
    const head = stage.repo.commit({ "later.txt": "later\n" });
    const { path } = await stage.lease("x");
    expect((await stage.status()).slots[0]?.lease?.base).toBe(head);
    expect(git(path, "rev-parse", "HEAD")).toBe(head);
    const empty = join(stage.repo.parent, "empty");
    git(stage.repo.parent, "init", "-q", "-b", "main", empty);
    const refused = await stage.as({}, empty).pool("init", "1");
    expect(refused).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("error[REPOSITORY_EMPTY]") });
    expect(existsSync(`${empty}.pool`)).toBe(false);
    expect(existsSync(join(empty, ".git/graftwork/pool"))).toBe(false);
  });

  test("24: the task's branch is checked out elsewhere: refused with that path, nothing half made", async () => {
    const stage = await poolStage(2);
    await stage.lease("x");
    await stage.pool("release", "x");
    const elsewhere = join(stage.repo.parent, "elsewhere");
    stage.repo.git("worktree", "add", "-q", elsewhere, "auto/x");
    const before = await stage.everything();
    const refused = await stage.pool("acquire", "x");
    expect(refused).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining(`Branch auto/x is checked out in ${elsewhere}`) });
    expect(await stage.everything()).toBe(before);
    expect(await stage.status()).toMatchObject({ busy: 0, idle: 2 });
  });

  test("25: without any ignore rule the pool shows in no git status, and git add -A takes nothing of it", async () => {
    const stage = await poolStage(2);
    const { path } = await stage.lease("x");
    writeFiles(path, { "new.txt": "new\n" });
    await stage.pool("release", "x");
    expect(stage.repo.git("status", "--porcelain", "--untracked-files=all")).toBe("");
    stage.repo.git("add", "--all");
    expect(stage.repo.git("diff", "--cached", "--name-only")).toBe("");
    expect(existsSync(join(stage.repo.dir, ".gitignore"))).toBe(false);
    expect(rescuesOf(stage)).toEqual(["refs/graftwork/rescue/x/1"]);
  });
});
