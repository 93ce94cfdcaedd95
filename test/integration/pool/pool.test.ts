import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  acquireSlot,
  cleanupPool,
  initPool,
  leaseMarker,
  listRescues,
  poolHealth,
  poolStatus,
  releaseSlot,
  restoreRescue,
} from "../../../src/pool/index.ts";
import { atEnd, commitFiles, git, tempFolder, WITH_DEPENDENCY, writeFiles } from "../../fixtures/index.ts";
import { lab } from "./lab.ts";

describe("a pool's life", () => {
  test("init makes locked, detached worktrees beside the repository and shows nothing in git status", async () => {
    const { repo, context } = await lab();
    const made = await initPool(context, { size: 3 });
    expect(made).toMatchObject({ size: 3, idle: 3, made: ["wt-1", "wt-2", "wt-3"] });
    const listed = repo.git("worktree", "list", "--porcelain");
    expect(listed.match(/^worktree /gm)).toHaveLength(4);
    expect(listed.match(/^locked /gm)).toHaveLength(3);
    expect(repo.git("status", "--porcelain", "--untracked-files=all")).toBe("");
    expect(existsSync(join(repo.dir, ".claude/worktree-pool/wt-1/README.md"))).toBe(true);
    expect(await poolHealth(context, { fix: false })).toMatchObject({ ok: true, slots: 3, findings: [] });
    expect(await initPool(context, { size: 3 })).toMatchObject({ size: 3, made: [], removed: [] });
  });

  test("acquire, the same again, release: the branch with its commits is kept", async () => {
    const { repo, context, slot } = await lab();
    await initPool(context, { size: 2 });
    const leased = await acquireSlot(context, { task: "task-x" });
    expect(leased).toMatchObject({ id: "wt-1", path: slot("wt-1"), lease: { branch: "auto/task-x", base: repo.git("rev-parse", "HEAD") } });
    const tip = commitFiles(leased.path, { "new.txt": "work\n" });
    expect(await acquireSlot(context, { task: "task-x" })).toMatchObject({ id: "wt-1" });
    expect(await releaseSlot(context, { name: "wt-1" })).toMatchObject({ slot: "wt-1", wasIdle: false, rescue: undefined });
    expect(repo.git("rev-parse", "auto/task-x")).toBe(tip);
    expect(existsSync(join(leased.path, "new.txt"))).toBe(false);
    expect(await releaseSlot(context, { name: "wt-1" })).toMatchObject({ wasIdle: true });
    const again = await acquireSlot(context, { task: "task-x" });
    expect(readFileSync(join(again.path, "new.txt"), "utf8")).toBe("work\n");
    expect(git(again.path, "status", "--porcelain")).toBe("");
  });

  test("a full pool says who holds what", async () => {
    const { context } = await lab();
    await initPool(context, { size: 1 });
    await acquireSlot(context, { task: "one" });
    await expect(acquireSlot(context, { task: "two" })).rejects.toMatchObject({
      code: "POOL_EXHAUSTED",
      because: expect.stringContaining("one of run shell has held wt-1"),
    });
  });

  test("another owner is refused, with the holder named", async () => {
    const { context, as } = await lab();
    await initPool(context, { size: 2 });
    await acquireSlot(context, { task: "one" });
    await expect(acquireSlot(as({ kind: "shell", name: "somebody" }), { task: "ONE" })).rejects.toMatchObject({ code: "LEASE_HELD" });
  });

  test("a branch of the wanted name made by hand is left alone", async () => {
    const { repo, context } = await lab();
    await initPool(context, { size: 1 });
    repo.git("branch", "auto/mine");
    expect((await acquireSlot(context, { task: "mine" })).lease.branch).toBe("auto/mine-2");
    await cleanupPool(context, { force: false });
    expect(repo.git("branch", "--list", "auto/*").trim()).toBe("auto/mine");
  });

  test("the base may be any commit", async () => {
    const { repo, context } = await lab({ branches: { b2: { "only-b2.txt": "b2\n" } } });
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "x", base: "b2" });
    expect(readFileSync(join(leased.path, "only-b2.txt"), "utf8")).toBe("b2\n");
    expect(leased.lease.base).toBe(repo.git("rev-parse", "b2"));
  });

  test("smaller, larger: idle slots go and come, a busy one is never taken", async () => {
    const { context } = await lab();
    await initPool(context, { size: 3 });
    await acquireSlot(context, { task: "x" });
    expect(await initPool(context, { size: 1 })).toMatchObject({ size: 1, removed: ["wt-3", "wt-2"] });
    expect(await initPool(context, { size: 2 })).toMatchObject({ size: 2, made: ["wt-2"] });
    await acquireSlot(context, { task: "y" });
    await expect(initPool(context, { size: 1 })).rejects.toMatchObject({ code: "LEASE_HELD" });
    expect((await poolStatus(context)).busy).toBe(2);
  });
});

describe("no byte is lost on release", () => {
  const CLASSES: Record<string, { make: (slot: string) => void; path: string; bytes: string }> = {
    unstaged: { make: (slot) => writeFileSync(join(slot, "README.md"), "changed\n"), path: "README.md", bytes: "changed\n" },
    untracked: { make: (slot) => writeFileSync(join(slot, "new.txt"), "new"), path: "new.txt", bytes: "new" },
    staged: {
      make: (slot) => {
        writeFileSync(join(slot, "staged.txt"), "staged");
        git(slot, "add", "staged.txt");
      },
      path: "staged.txt",
      bytes: "staged",
    },
    ignored: {
      make: (slot) => {
        writeFiles(slot, { ".gitignore": "*.log\n", "deep/a.log": "log" });
        git(slot, "add", ".gitignore");
        git(slot, "commit", "-qm", "ignore");
      },
      path: "deep/a.log",
      bytes: "log",
    },
    "assume-unchanged": {
      make: (slot) => {
        git(slot, "update-index", "--assume-unchanged", "README.md");
        writeFileSync(join(slot, "README.md"), "hidden\n");
      },
      path: "README.md",
      bytes: "hidden\n",
    },
    "skip-worktree": {
      make: (slot) => {
        git(slot, "update-index", "--skip-worktree", "README.md");
        writeFileSync(join(slot, "README.md"), "hidden too\n");
      },
      path: "README.md",
      bytes: "hidden too\n",
    },
    "carriage returns": {
      make: (slot) => writeFiles(slot, { ".gitattributes": "* text=auto\n", "crlf.txt": "a\r\nb\n" }),
      path: "crlf.txt",
      bytes: "a\r\nb\n",
    },
    "strange name": { make: (slot) => writeFileSync(join(slot, 'new\nline "x".txt'), "odd"), path: 'new\nline "x".txt', bytes: "odd" },
    "huge file": {
      make: (slot) => writeFileSync(join(slot, "huge.bin"), "x".repeat(2 * 1024 * 1024)),
      path: "huge.bin",
      bytes: "x".repeat(2 * 1024 * 1024),
    },
    "nested repository": {
      make: (slot) => {
        mkdirSync(join(slot, "nested"));
        git(join(slot, "nested"), "init", "-q");
        writeFileSync(join(slot, "nested/inner.txt"), "inner");
      },
      path: "nested/inner.txt",
      bytes: "inner",
    },
  };
  test.each(Object.keys(CLASSES))("%s", async (name) => {
    const { make, path, bytes } = CLASSES[name] ?? expect.unreachable();
    const { context } = await lab();
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "t" });
    make(leased.path);
    const released = await releaseSlot(context, { name: "t" });
    expect(released.rescue?.id).toBe("t/1");
    expect(git(leased.path, "status", "--porcelain", "--ignored")).toBe("");
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(context, "t/1", to, "/");
    expect(readFileSync(join(to, path), "utf8")).toBe(bytes);
    expect((await poolHealth(context, { fix: false })).findings).toEqual([]);
  });

  test("commits on a detached HEAD, and those an amend left behind", async () => {
    const { repo, context } = await lab();
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "t" });
    const amended = commitFiles(leased.path, { "a.txt": "1" });
    git(leased.path, "commit", "-q", "--amend", "-m", "other words");
    git(leased.path, "checkout", "-q", "--detach");
    const detached = commitFiles(leased.path, { "b.txt": "2" });
    await releaseSlot(context, { name: "t" });
    repo.git("-c", "gc.reflogExpire=now", "-c", "gc.reflogExpireUnreachable=now", "gc", "-q", "--prune=now");
    expect(repo.git("cat-file", "-t", amended)).toBe("commit");
    expect(repo.git("cat-file", "-t", detached)).toBe("commit");
  });

  test("a stopped rebase leaves nothing behind in the slot", async () => {
    const { repo, context } = await lab();
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "t" });
    commitFiles(leased.path, { "README.md": "theirs\n" });
    repo.commit({ "README.md": "ours\n" });
    expect(() => git(leased.path, "rebase", "-q", "main")).toThrow();
    await releaseSlot(context, { name: "t" });
    expect(git(leased.path, "status", "--porcelain")).toBe("");
    expect(git(leased.path, "status")).not.toContain("rebase");
  });

  test("a rescue restores the whole tree: what was committed on the branch with what was not", async () => {
    const { context } = await lab({ files: { "old.txt": "old\n" } });
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "t" });
    commitFiles(leased.path, { "committed.txt": "c\n", "old.txt": null });
    writeFileSync(join(leased.path, "left.txt"), "l\n");
    const released = await releaseSlot(context, { name: "t" });
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(context, released.rescue?.id ?? "", to, "/");
    expect(readdirSync(to).sort()).toEqual(["README.md", "committed.txt", "left.txt"]);
  });

  test("--discard throws away, and only then", async () => {
    const { context } = await lab();
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "t" });
    writeFileSync(join(leased.path, "junk"), "junk");
    expect((await releaseSlot(context, { name: "t", discard: true })).rescue).toBeUndefined();
    expect(await listRescues(context)).toEqual([]);
  });

  test("work left in an idle slot by hand is saved before the slot is used", async () => {
    const { context, slot } = await lab();
    await initPool(context, { size: 1 });
    writeFileSync(join(slot("wt-1"), "by-hand.txt"), "mine");
    const leased = await acquireSlot(context, { task: "t" });
    expect(existsSync(join(leased.path, "by-hand.txt"))).toBe(false);
    expect((await listRescues(context))[0]?.note.files).toEqual(["by-hand.txt"]);
  });

  test("an agent that replaces slot/.git by a repository of its own loses nothing and harms nothing", async () => {
    const { context, slot } = await lab();
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "t" });
    renameSync(join(leased.path, ".git"), join(leased.path, "old-git-file"));
    git(leased.path, "init", "-q");
    git(leased.path, "config", "user.name", "Agent");
    git(leased.path, "config", "user.email", "agent@example.invalid");
    commitFiles(leased.path, { "x.txt": "x" });
    await releaseSlot(context, { name: "t" });
    expect(git(slot("wt-1"), "status", "--porcelain")).toBe("");
    expect((await listRescues(context))[0]?.note.files).toContain("x.txt");
  });

  test("a slot whose folder became a link is quarantined, and what the link shows is untouched", async () => {
    const { context, slot } = await lab();
    await initPool(context, { size: 1 });
    await acquireSlot(context, { task: "t" });
    const victim = tempFolder("victim");
    writeFileSync(join(victim, "precious"), "p");
    renameSync(slot("wt-1"), `${slot("wt-1")}-moved`);
    symlinkSync(victim, slot("wt-1"));
    await expect(releaseSlot(context, { name: "t" })).rejects.toMatchObject({ code: "SLOT_QUARANTINED" });
    expect(readFileSync(join(victim, "precious"), "utf8")).toBe("p");
  });
});

describe("processes", () => {
  test("a release ends what works for its lease, and nothing of another repository's slot of the same name", async () => {
    const [one, two] = [await lab(), await lab()];
    for (const { context } of [one, two]) await initPool(context, { size: 1 });
    const leased = [await acquireSlot(one.context, { task: "t" }), await acquireSlot(two.context, { task: "t" })];
    expect(leased.map((slot) => [slot.id, slot.lease.token])).toEqual([
      ["wt-1", 1],
      ["wt-1", 1],
    ]);
    const [mine, other] = leased.map((slot) => {
      const child = spawn("sleep", ["60"], {
        detached: true,
        stdio: "ignore",
        env: { PATH: process.env["PATH"], GRAFTWORK_LEASE: leaseMarker(slot.path, slot.lease.token) },
      });
      atEnd(() => void child.kill("SIGKILL"));
      return child;
    });
    const ended = new Promise((resolve) => mine?.once("exit", (_, signal) => resolve(signal)));
    await releaseSlot(one.context, { name: "t" });
    expect(await ended).toBe("SIGTERM");
    expect(other?.exitCode ?? other?.signalCode).toBeNull();
  });
});

describe("dependencies", () => {
  test("are installed by lockfile when the slot is made, and again when the base's lockfile is another", async () => {
    const { repo, context } = await lab({ files: WITH_DEPENDENCY });
    await initPool(context, { size: 1 });
    const path = (await acquireSlot(context, { task: "a" })).path;
    expect(existsSync(join(path, "node_modules/dep/package.json"))).toBe(true);
    await releaseSlot(context, { name: "a" });
    repo.commit({ "package-lock.json": "not json\n" });
    await expect(acquireSlot(context, { task: "b" })).rejects.toMatchObject({ code: "SETUP_FAILED" });
    expect((await poolStatus(context)).idle).toBe(1);
    expect(repo.git("branch", "--list", "auto/b")).toBe("");
  });
});
