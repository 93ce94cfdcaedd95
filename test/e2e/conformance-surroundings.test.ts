import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commitFiles, git, tempFolder, tempRepo, writeFiles } from "../fixtures/index.ts";
import { barePath, healthy, type PoolStage, poolOf, poolStage, rescuesOf } from "./pool-stage.ts";

describe("conformance: health and status", () => {
  test("32: health on a good pool: OK, exit 0", async () => {
    const stage = await poolStage(2);
    await stage.lease("x");
    expect(await stage.pool("health")).toMatchObject({ code: 0, stdout: expect.stringMatching(healthy(2)), stderr: "" });
  });

  const ILLS: Record<string, { make: (stage: PoolStage, path: string) => void; says: RegExp }> = {
    "a missing folder": { make: (_, path) => rmSync(path, { recursive: true }), says: /^- wt-1: its folder .* is gone$/m },
    "a missing branch": {
      make: ({ repo }, path) => {
        git(path, "checkout", "-q", "--detach");
        repo.git("branch", "-D", "auto/x");
      },
      says: /^- wt-1: branch auto\/x was deleted$/m,
    },
    "a foreign worktree in the pool's folder": {
      make: ({ repo, slot }) => void repo.git("worktree", "add", "-q", "--detach", slot("mine")),
      says: /^- .*\/mine is a worktree in the pool's folder that no slot owns$/m,
    },
    "a slot that is not locked": {
      make: ({ repo }, path) => void repo.git("worktree", "unlock", path),
      says: /^- wt-1: its worktree is not locked/m,
    },
    "an entry that git would prune": {
      make: ({ repo, slot }) => {
        repo.git("worktree", "add", "-q", "--detach", slot("wt-9"));
        rmSync(slot("wt-9"), { recursive: true });
      },
      says: /^- .*\/wt-9 is a worktree in the pool's folder that no slot owns\n {4}repair: forget it \(its folder is gone\)$/m,
    },
  };
  test.each(Object.keys(ILLS))("32: health names %s: exit 1, one finding, with its repair", async (name) => {
    const stage = await poolStage(2);
    const { path } = await stage.lease("x");
    const { make, says } = ILLS[name] ?? expect.unreachable();
    make(stage, path);
    const found = await stage.pool("health");
    expect(found).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^Pool health: 1 finding\n {3}Slots: 2 .*\n- .*\n {4}repair: .+\n/),
    });
    expect(found.stdout).toMatch(says);
  });

  test("38: status shows the counts and a row a slot; --json the same numbers, age and owner; exit 1 where there is no pool", async () => {
    const stage = (await poolStage(2)).as({ GRAFTWORK_OWNER: "me" });
    await stage.lease("task-a");
    const { code, stdout } = await stage.pool("status");
    expect(code).toBe(0);
    expect(stdout).toContain("Pool Size: 2 | Busy: 1 | Idle: 1 | Error: 0");
    expect(stdout).toMatch(/wt-1\s+BUSY\s+task-a\s+auto\/task-a\s+0\/0\s+0\s+\S.*\s+me\s/);
    expect(stdout).toMatch(/wt-2\s+idle\s+-\s/);
    expect(await stage.status()).toMatchObject({
      pool_size: 2,
      busy: 1,
      idle: 1,
      error: 0,
      slots: [
        { lease: { task: "task-a", acquiredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), owner: { kind: "shell", name: "me" } } },
        { lease: null },
      ],
    });
    const none = poolOf(tempRepo());
    expect(await none.pool("status")).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("error[POOL_MISSING]") });
  });
});

describe("conformance: the repository around it", () => {
  test("33: the pool never shows in git status of a repository without .gitignore, and no tracked file is changed", async () => {
    const stage = await poolStage(2);
    const status = (): string => stage.repo.git("status", "--porcelain", "--untracked-files=all", "--ignored=no");
    const head = stage.repo.git("rev-parse", "HEAD");
    const seen = [status()];
    for (const verb of [["acquire", "x"], ["status"], ["health"], ["release", "x"], ["cleanup"]]) {
      expect(await stage.pool(...verb)).toMatchObject({ code: 0 });
      seen.push(status());
    }
    expect(seen).toEqual(Array(6).fill(""));
    expect([stage.repo.git("rev-parse", "HEAD"), stage.repo.git("symbolic-ref", "HEAD")]).toEqual([head, "refs/heads/main"]);
  });

  test("34: the project profile and .env are in the slot, and no object of the repository holds the secret", async () => {
    const stage = poolOf(tempRepo({ files: { ".gitignore": ".env\n.claude/\n" } }));
    writeFiles(stage.repo.dir, {
      ".claude/auto-context.yaml": "pool: {copy: ['.claude/project-profile.yaml', '.env*']}\n",
      ".claude/project-profile.yaml": "name: sample\n",
      ".env": "TOKEN=s3cr3t-of-the-user\n",
    });
    await stage.pool("init", "1");
    const { path } = await stage.lease("x");
    expect(readFileSync(join(path, ".env"), "utf8")).toBe("TOKEN=s3cr3t-of-the-user\n");
    expect(readFileSync(join(path, ".claude/project-profile.yaml"), "utf8")).toBe("name: sample\n");
    writeFileSync(join(path, "work.txt"), "unsaved\n");
    for (const verb of [["release", "x"], ["cleanup"]]) expect(await stage.pool(...verb)).toMatchObject({ code: 0 });
    expect(stage.repo.git("show", `${rescuesOf(stage)[0]}:work.txt`)).toBe("unsaved");
    const blobs = stage.repo.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)").split("\n");
    const texts = blobs.filter((line) => line.startsWith("blob ")).map((line) => stage.repo.git("cat-file", "blob", line.slice(5)));
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.filter((text) => text.includes("s3cr3t"))).toEqual([]);
  });

  test("35: a path with spaces and letters of all kinds: one line, a release with its rescue, and a merge", async () => {
    const stage = await poolStage(1, { name: "mein Projekt – 日本 ü'\"" });
    const line = await stage.pool("acquire", "x");
    expect(line).toMatchObject({ code: 0, stdout: `wt-1|${stage.slot("wt-1")}|auto/x\n` });
    writeFileSync(join(stage.slot("wt-1"), "unsaved.txt"), "u\n");
    expect(await stage.pool("release", "wt-1")).toMatchObject({ code: 0, stdout: "RELEASED:wt-1\n" });
    expect(stage.repo.git("show", "refs/graftwork/rescue/x/1:unsaved.txt")).toBe("u");
    commitFiles((await stage.lease("y")).path, { "ü 日本.txt": "y\n" });
    expect(await stage.pool("merge", "--no-verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/y") });
    expect(readFileSync(join(stage.repo.dir, "ü 日本.txt"), "utf8")).toBe("y\n");
    expect(await stage.pool("health")).toMatchObject({ code: 0 });
  });

  test("35: hooks by core.hooksPath do not fire in pool verbs, and do for the commits of who works in the slot", async () => {
    const stage = poolOf(tempRepo());
    const { dir, parent } = stage.repo;
    const fired = join(parent, "fired");
    for (const hook of [
      "post-checkout",
      "pre-commit",
      "post-commit",
      "commit-msg",
      "reference-transaction",
      "post-index-change",
      "post-rewrite",
    ]) {
      writeFiles(dir, { [`.husky/_/${hook}`]: `#!/bin/sh\necho ${hook} >> '${fired}'\n` });
      chmodSync(join(dir, ".husky/_", hook), 0o755);
    }
    stage.repo.git("-c", "core.hooksPath=/dev/null", "add", "--all");
    stage.repo.git("-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "husky");
    stage.repo.git("config", "core.hooksPath", ".husky/_");
    await stage.pool("init", "1");
    const { path } = await stage.lease("x");
    expect(existsSync(fired)).toBe(false);
    commitFiles(path, { "work.txt": "w\n" });
    expect(readFileSync(fired, "utf8")).toContain("pre-commit");
    rmSync(fired);
    expect(await stage.pool("merge", "--no-verify")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/x") });
    writeFileSync(join(path, "unsaved.txt"), "u\n");
    for (const verb of [["release", "x"], ["acquire", "x"], ["release", "x"], ["health", "--fix"], ["cleanup"]])
      expect(await stage.pool(...verb)).toMatchObject({ code: 0 });
    expect(existsSync(fired)).toBe(false);
    expect(stage.repo.git("config", "core.hooksPath")).toBe(".husky/_");
  });

  test("35: a bare repository with worktrees is refused with the reason, from it and from its worktree, and nothing is made", async () => {
    const parent = tempFolder("bare");
    const [bare, worktree] = [join(parent, "project.git"), join(parent, "tree")];
    git(parent, "clone", "-q", "--bare", tempRepo().dir, bare);
    git(bare, "worktree", "add", "-q", worktree, "main");
    const stage = poolOf(tempRepo());
    for (const cwd of [bare, worktree])
      expect(await stage.as({}, cwd).pool("init", "1")).toMatchObject({
        code: 2,
        stdout: "",
        stderr: expect.stringMatching(/error\[REPOSITORY_UNSUPPORTED\]: .*bare repository/),
      });
    expect(git(bare, "worktree", "list").split("\n")).toHaveLength(2);
    for (const made of [join(bare, "graftwork/pool"), `${bare}.pool`, `${worktree}.pool`]) expect(existsSync(made)).toBe(false);
  });

  test("35: submodules and a partial clone are refused by init with the reason, and nothing is made", async () => {
    const parts = poolOf(tempRepo());
    const library = tempRepo();
    parts.repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.dir, "library");
    parts.repo.git("commit", "-q", "-m", "with a submodule");
    const source = tempRepo();
    source.git("config", "uploadpack.allowFilter", "true");
    const clone = join(source.parent, "clone");
    git(source.parent, "clone", "-q", "--filter=blob:none", `file://${source.dir}`, clone);
    for (const [stage, dir, why] of [
      [parts, parts.repo.dir, /it has submodules/],
      [poolOf(source, {}, clone), clone, /it is a partial clone/],
    ] as const) {
      expect(await stage.pool("init", "1")).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(why) });
      expect(git(dir, "worktree", "list").split("\n")).toHaveLength(1);
      for (const made of [`${dir}.pool`, join(dir, ".git/graftwork/pool"), join(dir, ".claude")]) expect(existsSync(made)).toBe(false);
    }
  });

  test("36: an empty repository: exit 2 with the reason; a detached HEAD: the base is its commit", async () => {
    const empty = tempFolder("empty");
    git(empty, "init", "-q", "-b", "main");
    const stage = await poolStage(1);
    expect(await stage.as({}, empty).pool("init", "1")).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("error[REPOSITORY_EMPTY]"),
    });
    expect(existsSync(`${empty}.pool`)).toBe(false);
    stage.repo.git("checkout", "-q", "--detach");
    const head = stage.repo.commit({ "later.txt": "l\n" });
    await stage.lease("x");
    expect((await stage.status()).slots[0]?.lease?.base).toBe(head);
  });

  test("37: without jq, yq and flock on the PATH: all verbs do their work", async () => {
    const repo = tempRepo();
    const stage = poolOf(repo);
    const bare = stage.as({ PATH: barePath(stage) });
    mkdirSync(join(repo.dir, "deep"));
    for (const [verb, says] of [
      [["init", "2"], "Pool initialized: 2 slots available"],
      [["acquire", "x"], "wt-1|"],
      [["status"], "Busy: 1"],
      [["health"], "Pool health: OK"],
      [["release", "x"], "RELEASED:wt-1"],
      [["reset", "1"], "Pool initialized: 1 slots available"],
      [["rescue", "list"], "Nothing was rescued."],
      [["cleanup"], "Pool removed: 1 slot"],
    ] as const)
      expect(await bare.pool(...verb)).toMatchObject({ code: 0, stdout: expect.stringContaining(says) });
  });
});
