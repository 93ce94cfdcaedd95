import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CliResult, git, runCli, type TempRepo, tempRepo, writeFiles } from "../fixtures/index.ts";

const pool = (repo: TempRepo, ...args: readonly string[]): Promise<CliResult> => runCli(args, { cwd: repo.dir, program: "pool-manager" });

describe("pool-manager, as a script uses it", () => {
  test("init, acquire, unsaved work, release, rescue, cleanup: formats, exit codes, not a byte lost", async () => {
    const repo = tempRepo({ files: { ".gitignore": "*.log\n", "kept.txt": "kept\n" } });
    expect(await pool(repo, "init", "4")).toMatchObject({ code: 0, stdout: "Pool initialized: 4 slots available\n" });
    const first = await pool(repo, "acquire", "task-a");
    expect(first).toMatchObject({ code: 0, stdout: `wt-1|${repo.dir}.pool/wt-1|auto/task-a\n`, stderr: "" });
    expect(await pool(repo, "acquire", "task-b")).toMatchObject({ code: 0, stdout: `wt-2|${repo.dir}.pool/wt-2|auto/task-b\n` });
    const status = await pool(repo, "status");
    expect(status.stdout).toContain("Pool Size: 4 | Busy: 2 | Idle: 2 | Error: 0");
    expect(status.stdout).toMatch(/wt-1\s+BUSY\s+task-a\s+auto\/task-a/);
    expect(JSON.parse((await pool(repo, "status", "--json")).stdout)).toMatchObject({
      ok: true,
      pool_size: 4,
      busy: 2,
      idle: 2,
      slots: [{ id: "wt-1", lease: { task: "task-a" } }, { id: "wt-2" }, {}, {}],
    });
    expect(JSON.parse(readFileSync(join(repo.dir, ".claude/pool-state.json"), "utf8"))).toMatchObject({
      version: "1.0",
      pool_size: 4,
      worktrees: [{ id: "wt-1", status: "busy", task_id: "task-a", branch: "auto/task-a" }, {}, {}, {}],
    });

    const slot = first.stdout.split("|")[1] ?? "";
    writeFiles(slot, { "kept.txt": "changed\n", "new.txt": "new\n", "run.log": "ignored\n" });
    const released = await pool(repo, "release", "wt-1");
    expect(released).toMatchObject({ code: 0, stdout: "RELEASED:wt-1\n" });
    expect(released.stderr).toContain("task-a/1");
    expect(git(slot, "status", "--porcelain", "--ignored")).toBe("");
    expect((await pool(repo, "rescue", "list")).stdout).toMatch(/^task-a\/1 {2}.* {2}3 files/);
    const to = join(repo.parent, "restored");
    expect(await pool(repo, "rescue", "restore", "task-a/1", "--to", to)).toMatchObject({ code: 0, stdout: `RESTORED:${to}\n` });
    expect(["kept.txt", "new.txt", "run.log"].map((name) => readFileSync(join(to, name), "utf8"))).toEqual([
      "changed\n",
      "new\n",
      "ignored\n",
    ]);
    for (const taken of [to, join(repo.dir, "kept.txt")])
      expect(await pool(repo, "rescue", "restore", "task-a/1", "--to", taken)).toMatchObject({ code: 2 });

    expect(await pool(repo, "cleanup")).toMatchObject({ code: 0, stdout: expect.stringContaining("Pool removed: 4 slots") });
    expect(repo.git("worktree", "list", "--porcelain").match(/^worktree /gm)).toHaveLength(1);
    expect(await pool(repo, "status")).toMatchObject({ code: 1, stderr: expect.stringContaining("error[POOL_MISSING]") });
    expect(repo.git("status", "--porcelain")).toBe("");
    expect((await pool(repo, "rescue")).stdout).toContain("task-a/1");
  });

  test("a full pool: POOL_EXHAUSTED on stdout, exit 3, who holds what on stderr", async () => {
    const repo = tempRepo();
    await pool(repo, "init", "1");
    await pool(repo, "acquire", "one");
    const full = await pool(repo, "acquire", "two");
    expect(full).toMatchObject({ code: 3, stdout: "POOL_EXHAUSTED\n" });
    expect(full.stderr).toContain("one of run shell has held wt-1");
    expect(repo.git("branch", "--list", "auto/two")).toBe("");
    expect(JSON.parse((await pool(repo, "acquire", "two", "--json")).stdout)).toMatchObject({
      ok: false,
      error: { code: "POOL_EXHAUSTED", exit: 3 },
    });
  });

  test.each([
    [["init", "0"], "SIZE_INVALID"],
    [["init", "abc"], "SIZE_INVALID"],
    [["acquire"], "USAGE"],
    [["acquire", "../e"], "ID_INVALID"],
    [["acquire", "a|b"], "ID_INVALID"],
    [["acquire", "$(touch pwn)"], "ID_INVALID"],
    [["acquire", "x.lock"], "ID_INVALID"],
    [["acquire", "ok", "no-such-ref"], "REF_UNKNOWN"],
    [["acquire", "ok", "--frob", "5"], "USAGE"],
    [["bogus"], "USAGE"],
  ])("%j: refused with three parts and exit 2, nothing made", async (args, code) => {
    const repo = tempRepo();
    if (args[0] !== "init") await pool(repo, "init", "1");
    const before = repo.git("for-each-ref");
    const refused = await pool(repo, ...args);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(new RegExp(`^error\\[${code}\\]: .+\\n  because: .+\\n  try: .+\\n$`, "s"));
    expect(repo.git("for-each-ref")).toBe(before);
    expect(existsSync(join(repo.dir, "pwn"))).toBe(false);
    expect(existsSync(`${repo.dir}.pool`)).toBe(args[0] !== "init");
  });

  test("eight at once on eight slots: eight leases, eight slots", async () => {
    const repo = tempRepo();
    await pool(repo, "init", "8");
    for (let round = 0; round < 2; round++) {
      const lines = await Promise.all(Array.from({ length: 8 }, (_, n) => pool(repo, "acquire", `t${round}-${n}`)));
      expect(lines.map((line) => line.code)).toEqual(Array(8).fill(0));
      expect(new Set(lines.map((line) => line.stdout.split("|")[0])).size).toBe(8);
      await Promise.all(lines.map((line) => pool(repo, "release", line.stdout.split("|")[0] ?? "")));
    }
    expect((await pool(repo, "health")).stdout).toContain("Pool health: OK");
  });

  test("from a sub-folder and from inside a slot it is the same pool", async () => {
    const repo = tempRepo({ files: { "deep/er/file": "x" }, name: "with space" });
    await pool(repo, "init", "1");
    writeFileSync(join(repo.dir, "deep/note"), "n");
    for (const cwd of [join(repo.dir, "deep/er"), `${repo.dir}.pool/wt-1`])
      expect((await runCli(["status", "--json"], { cwd, program: "pool-manager" })).stdout).toContain('"pool_size":1');
  });

  test("no colour codes where nobody looks, NO_COLOR over FORCE_COLOR", async () => {
    const repo = tempRepo();
    const escape = String.fromCharCode(27);
    expect((await pool(repo, "status")).stderr).not.toContain(escape);
    expect((await runCli(["status"], { cwd: repo.dir, program: "pool-manager", env: { FORCE_COLOR: "1" } })).stderr).toContain(escape);
    expect(
      (await runCli(["status"], { cwd: repo.dir, program: "pool-manager", env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stderr,
    ).not.toContain(escape);
  });
});
