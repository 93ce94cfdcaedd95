import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { describe, expect, test } from "vitest";
import { commitFiles, git, tempRepo } from "../fixtures/index.ts";
import { newestRecord, poolOf, poolStage, viewOf } from "./pool-stage.ts";

/** The numbers are those of the list of what a pool manager has to do; the words are sharpened by the specification. */
describe("conformance: init", () => {
  test("1: init without a size makes eight slots: exit 0, the last line, eight in the state, eight more worktrees", async () => {
    const stage = poolOf(tempRepo());
    expect(await stage.pool("init")).toMatchObject({ code: 0, stdout: "Pool initialized: 8 slots available\n" });
    expect((await stage.state()).slots).toHaveLength(8);
    expect(stage.repo.git("worktree", "list").split("\n")).toHaveLength(9);
    for (const path of stage.worktrees()) expect(readFileSync(join(path, "README.md"), "utf8")).toBe("# sample\n");
  });

  test("2: init 3, then status --json: pool_size 3, wt-1 to wt-3, all idle", async () => {
    const now = await (await poolStage(3)).status();
    expect(now).toMatchObject({ pool_size: 3, busy: 0, idle: 3, error: 0 });
    expect(now.slots.map(({ id, status }) => [id, status])).toEqual([1, 2, 3].map((n) => [`wt-${n}`, "idle"]));
  });

  test("3: POOL_SIZE, POOL_DIR and POOL_STATE_FILE are honoured, and the view is plain JSON", async () => {
    const repo = tempRepo();
    const [dir, view] = [join(repo.parent, "elsewhere"), join(repo.parent, "view.json")];
    const stage = poolOf(repo, { POOL_SIZE: "4", POOL_DIR: dir, POOL_STATE_FILE: view });
    expect(await stage.pool("init")).toMatchObject({ code: 0, stdout: "Pool initialized: 4 slots available\n" });
    expect(stage.worktrees()).toEqual([1, 2, 3, 4].map((n) => join(dir, `wt-${n}`)));
    const seen = JSON.parse(readFileSync(view, "utf8")) as { worktrees: { status: string }[] };
    expect(seen.worktrees.map(({ status }) => status)).toEqual(Array(4).fill("idle"));
    expect(existsSync(join(repo.dir, ".claude/pool-state.json"))).toBe(false);
    expect((await stage.lease("x")).path).toBe(join(dir, "wt-1"));
  });

  test("3: a relative POOL_STATE_FILE is one file, whatever folder a verb is called from", async () => {
    const stage = poolOf(tempRepo({ files: { "deep/a.txt": "a" } }), { POOL_STATE_FILE: "views/pool.json" });
    const shown = (): unknown => JSON.parse(readFileSync(join(stage.repo.dir, "views/pool.json"), "utf8"));
    await stage.pool("init", "1");
    expect(shown()).toMatchObject({ worktrees: [{ status: "idle" }] });
    await stage.as({}, join(stage.repo.dir, "deep")).lease("x");
    expect(shown()).toMatchObject({ worktrees: [{ status: "busy" }] });
  });

  test.each(["0", "abc", "-1", "1.5"])("4: init %s: exit 2, a message on stderr, the state the same to the byte", async (size) => {
    const stage = await poolStage(1);
    const bytes = (): string[] =>
      [newestRecord(stage), join(stage.repo.dir, ".claude/pool-state.json")].map((file) => readFileSync(file, "utf8"));
    const before = bytes();
    expect(await stage.pool("init", size)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^error\[(?:SIZE_INVALID|USAGE)\]: /),
    });
    expect(bytes()).toEqual(before);
  });

  test("5: a smaller init that would take a busy slot: exit 3, the slot and its file untouched; a larger one keeps it busy", async () => {
    const stage = await poolStage(3);
    const { path } = await stage.lease("one");
    await stage.lease("two");
    writeFileSync(join(path, "file"), "f");
    const before = await stage.everything();
    expect(await stage.pool("init", "1")).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining("error[LEASE_HELD]") });
    expect(await stage.everything()).toBe(before);
    expect(await stage.pool("init", "2")).toMatchObject({ code: 0 });
    expect(await stage.pool("init", "5")).toMatchObject({ code: 0, stdout: "Pool initialized: 5 slots available\n" });
    expect((await stage.status()).slots.map(({ status }) => status)).toEqual(["busy", "busy", "idle", "idle", "idle"]);
    expect(readFileSync(join(path, "file"), "utf8")).toBe("f");
  });
});

describe("conformance: acquire", () => {
  test("6: stdout is exactly one line wt-1|absolute path|auto/task-x, whatever is said is on stderr", async () => {
    const stage = await poolStage(1, { files: { ".claude/auto-context.yaml": "pool: {copy: [.env]}\n", ".gitignore": ".env\n" } });
    writeFileSync(join(stage.repo.dir, ".env"), "A=1\n");
    const { code, stdout, stderr } = await stage.pool("acquire", "task-x");
    expect([code, stdout]).toEqual([0, `wt-1|${stage.slot("wt-1")}|auto/task-x\n`]);
    expect(stderr).toContain("copied 1 file");
    expect(isAbsolute(stdout.split("|")[1] ?? "")).toBe(true);
    expect(stdout.split("\n").map((line) => line.split("|")[0])).toEqual(["wt-1", ""]);
  });

  test("7: the same owner gets the same line again with its work in place; another owner exit 3, and nothing changes", async () => {
    const stage = await poolStage(2);
    const mine = stage.as({ GRAFTWORK_OWNER: "me" });
    const first = await mine.lease("x");
    const tip = commitFiles(first.path, { "work.txt": "w\n" });
    writeFileSync(join(first.path, "unsaved.txt"), "u");
    expect(await mine.lease("x")).toEqual(first);
    expect([git(first.path, "rev-parse", "HEAD"), readFileSync(join(first.path, "unsaved.txt"), "utf8")]).toEqual([tip, "u"]);
    const before = await stage.everything();
    const other = await stage.as({ GRAFTWORK_OWNER: "somebody" }).pool("acquire", "x");
    expect(other).toMatchObject({ code: 3, stdout: "", stderr: expect.stringMatching(/error\[LEASE_HELD\][\s\S]*owner me/) });
    expect(await stage.everything()).toBe(before);
  });

  test("8: the path has a .git file and the branch checked out; the base is HEAD's commit, in the state by its id", async () => {
    const stage = await poolStage(1);
    const { path, branch } = await stage.lease("x");
    const head = stage.repo.git("rev-parse", "HEAD");
    expect(lstatSync(join(path, ".git")).isFile()).toBe(true);
    expect([git(path, "symbolic-ref", "HEAD"), git(path, "rev-parse", "HEAD")]).toEqual([`refs/heads/${branch}`, head]);
    expect((await stage.state()).slots[0]?.lease?.base).toBe(head);
    expect(viewOf(stage).worktrees[0]).toMatchObject({ base: head });
  });

  test("9: acquire x b2: a file that is on b2 alone is in the slot", async () => {
    const stage = await poolStage(1, { branches: { b2: { "only-b2.txt": "b2\n" } } });
    const { path } = await stage.lease("x", "b2");
    expect(readFileSync(join(path, "only-b2.txt"), "utf8")).toBe("b2\n");
    expect((await stage.status()).slots[0]?.lease?.base).toBe(stage.repo.git("rev-parse", "b2"));
    expect(git(path, "status", "--porcelain")).toBe("");
  });

  test("18: from a sub-folder and from inside of a slot it is the same pool as from the root", async () => {
    const stage = await poolStage(2);
    mkdirSync(join(stage.repo.dir, "a/b"), { recursive: true });
    const fromRoot = await stage.status();
    for (const cwd of [join(stage.repo.dir, "a/b"), stage.slot("wt-2"), join(stage.repo.dir, ".git")])
      expect(await stage.as({}, cwd).status()).toEqual(fromRoot);
    expect((await stage.as({}, stage.slot("wt-2")).lease("x")).path).toBe(realpathSync(stage.slot("wt-1")));
  });

  test("19: acquire without an argument and an unknown verb: exit 2, and what the command line is", async () => {
    const stage = await poolStage(1);
    const before = await stage.everything();
    for (const verb of ["acquire", "bogus"])
      expect(await stage.pool(verb)).toMatchObject({
        code: 2,
        stdout: "",
        stderr: expect.stringMatching(/^error\[USAGE\]: [\s\S]*pool-manager --help/),
      });
    expect(await stage.everything()).toBe(before);
  });

  const IDS = ["a b", 'a"b', "../e", "-x", "a..b", "x.lock", "a|b", "$(touch pwn)", "x".repeat(300), "😀", "", ".x", "x.", "a\nb", "a:b"];
  test("20: ids that no branch or line could carry: exit 2 each, never a half-made slot, no file pwn", async () => {
    const stage = await poolStage(1);
    const before = await stage.everything();
    for (const id of IDS) {
      const refused = await stage.pool("acquire", id);
      expect({ id, code: refused.code, stdout: refused.stdout }).toEqual({ id, code: 2, stdout: "" });
    }
    expect(await stage.everything()).toBe(before);
    for (const folder of [stage.repo.dir, stage.repo.parent, stage.slot("wt-1")]) expect(existsSync(join(folder, "pwn"))).toBe(false);
  });

  test("20: an id of all characters that are allowed is kept as it is, in the branch and in the state", async () => {
    const stage = await poolStage(1);
    const id = `T${"a.b_c-9".repeat(14)}Z`;
    expect((await stage.lease(id)).branch).toBe(`auto/${id}`);
    expect((await stage.state()).slots[0]?.lease?.task).toBe(id);
  });

  test("21: a/b and then a/b/c are refused by name, a branch named auto with the way out: never git's own words", async () => {
    const stage = await poolStage(1);
    stage.repo.git("branch", "auto");
    const ends = [await stage.pool("acquire", "a/b"), await stage.pool("acquire", "a/b/c"), await stage.pool("acquire", "x")];
    expect(ends.map(({ code }) => code)).toEqual([2, 2, 3]);
    for (const { stderr } of ends) expect(stderr).not.toMatch(/GIT_FAILED|fatal:|cannot lock ref/);
    expect(ends[2]?.stderr).toContain("pool.branch_prefix");
    expect(await stage.status()).toMatchObject({ idle: 1, busy: 0 });
  });

  test("22: a leftover unmerged branch without a slot: its commit stays on it, and the task gets auto/x-2", async () => {
    const stage = await poolStage(1, { branches: { "auto/x": { "old.txt": "old\n" } } });
    const tip = stage.repo.git("rev-parse", "auto/x");
    expect((await stage.lease("x")).branch).toBe("auto/x-2");
    expect(stage.repo.git("rev-parse", "auto/x")).toBe(tip);
  });

  test("23: the task's branch checked out by the user elsewhere: exit 3 with that path, nothing changed", async () => {
    const stage = await poolStage(1);
    await stage.lease("x");
    await stage.pool("release", "x");
    stage.repo.git("switch", "-q", "auto/x");
    const before = await stage.everything();
    const refused = await stage.pool("acquire", "x");
    expect(refused).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining(`auto/x is checked out in ${stage.repo.dir}`) });
    expect(await stage.everything()).toBe(before);
  });

  test("39: an acquire on a warm slot starts four git processes at most (its time is measured by the benchmark)", async () => {
    const stage = await poolStage(1);
    await stage.lease("warm-up");
    await stage.pool("release", "warm-up");
    const { code, stderr } = await stage.as({ GRAFTWORK_DEBUG: "git" }).pool("acquire", "x");
    expect(code).toBe(0);
    const started = stderr.split("\n").filter((line) => line.startsWith("git["));
    expect(started.length).toBeGreaterThan(0);
    expect(started.length).toBeLessThanOrEqual(4);
  });
});
