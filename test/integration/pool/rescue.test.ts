import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acquireSlot, cleanupPool, initPool, listRescues, poolHealth, releaseSlot, restoreRescue } from "../../../src/pool/index.ts";
import { commitFiles, git, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";

const BIG = "x".repeat(2 * 1024 * 1024);

async function leasedLab(
  options: Parameters<typeof lab>[0] = {},
  settings: Parameters<typeof lab>[1] = {},
): Promise<Lab & { path: string }> {
  const made = await lab(options, settings);
  await initPool(made.context, { size: 1 });
  const { path } = await acquireSlot(made.context, { task: "t" });
  return { ...made, path };
}

/** Collects everything that no ref reaches, as a user may at any moment. */
function collectGarbage({ repo }: Lab): void {
  repo.git(
    "-c",
    "gc.reflogExpire=now",
    "-c",
    "gc.reflogExpireUnreachable=now",
    "reflog",
    "expire",
    "--expire=now",
    "--expire-unreachable=now",
    "--all",
  );
  repo.git("gc", "-q", "--prune=now");
}

describe("a rescue leaves nothing out", () => {
  test("a clean slot on a detached HEAD with commits of its own", async () => {
    const all = await leasedLab();
    git(all.path, "checkout", "-q", "--detach");
    const detached = commitFiles(all.path, { "b.txt": "2" });
    expect(await releaseSlot(all.context, { name: "t" })).toMatchObject({ rescue: { id: "t/1" } });
    collectGarbage(all);
    expect(all.repo.git("cat-file", "-t", detached)).toBe("commit");
  });

  test.each(["qa/r/t.1", "train/r", "ready/r/t"])(
    "commits that only refs/graftwork/%s holds, which goes when its work is done",
    async (ref) => {
      const all = await leasedLab();
      git(all.path, "checkout", "-q", "--detach");
      git(all.path, "update-ref", `refs/graftwork/${ref}`, commitFiles(all.path, { "b.txt": "2" }));
      expect(await releaseSlot(all.context, { name: "t" })).toMatchObject({ rescue: { id: "t/1" } });
    },
  );

  test("and puts a large file with a key in no ref", async () => {
    const all = await leasedLab({}, { rescueMaxFileBytes: 50 * 2 ** 20, rescueMaxBytes: 100 * 2 ** 20 });
    writeFiles(all.path, { "plain.txt": BIG });
    // Made up from parts, so that no scanner takes this file for a leak.
    writeFiles(all.path, { "notes.txt": `${BIG} ${["AKIA", "QZ7WMPLE4XKTN2RB"].join("")}\n` });
    const { rescue } = await releaseSlot(all.context, { name: "t" });
    expect([rescue?.files, rescue?.trashed.length]).toEqual([1, 1]);
  });

  test("a tracked file made huge after the agent's last commit", async () => {
    const all = await leasedLab({ files: { "data.bin": "small" } });
    commitFiles(all.path, { "a.txt": "1" });
    writeFileSync(join(all.path, "data.bin"), BIG);
    await releaseSlot(all.context, { name: "t" });
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(all.context, "t/1", to, "/");
    expect(readFileSync(join(to, "data.bin"), "utf8")).toBe(BIG);
  });

  test("what is staged only, while a killed git's index.lock is there", async () => {
    const all = await leasedLab();
    writeFileSync(join(all.path, "staged.txt"), "staged only\n");
    git(all.path, "add", "staged.txt");
    rmSync(join(all.path, "staged.txt"));
    writeFileSync(join(all.repo.dir, ".git/worktrees/wt-1/index.lock"), "");
    await releaseSlot(all.context, { name: "t" });
    const [rescue] = await listRescues(all.context);
    expect(all.repo.git("log", "--format=", "-p", "-m", rescue?.ref ?? "")).toContain("staged only");
  });

  test("what is staged only, while another path is unmerged", async () => {
    const all = await leasedLab();
    commitFiles(all.path, { "README.md": "theirs\n" });
    all.repo.commit({ "README.md": "ours\n" });
    writeFileSync(join(all.path, "staged.txt"), "staged only\n");
    git(all.path, "add", "staged.txt");
    expect(() => git(all.path, "cherry-pick", "-n", "main")).toThrow();
    rmSync(join(all.path, "staged.txt"));
    const blob = execFileSync("git", ["hash-object", "--stdin"], { input: "staged only\n", encoding: "utf8" }).trim();
    await releaseSlot(all.context, { name: "t" });
    collectGarbage(all);
    expect(all.repo.git("cat-file", "-p", blob)).toBe("staged only");
  });

  test("a folder replaced by a link: what the link shows stays where it is", async () => {
    const all = await leasedLab({ files: { "d/big.bin": "b", "d/small": "s" } });
    const victim = tempFolder("victim");
    writeFiles(victim, { "big.bin": BIG, small: "outside" });
    rmSync(join(all.path, "d"), { recursive: true });
    symlinkSync(victim, join(all.path, "d"));
    await releaseSlot(all.context, { name: "t" });
    expect(existsSync(join(victim, "big.bin"))).toBe(true);
    expect(readFileSync(join(victim, "small"), "utf8")).toBe("outside");
  });

  test("a folder replaced by a file, a file by a folder", async () => {
    const all = await leasedLab({ files: { "d/a": "a", f: "f" } });
    rmSync(join(all.path, "d"), { recursive: true });
    writeFiles(all.path, { d: "now a file", f: null });
    writeFiles(all.path, { "f/inner": "now a folder" });
    await releaseSlot(all.context, { name: "t" });
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(all.context, "t/1", to, "/");
    expect(readFileSync(join(to, "d"), "utf8")).toBe("now a file");
    expect(readFileSync(join(to, "f/inner"), "utf8")).toBe("now a folder");
  });

  test("a repository made inside a tracked folder", async () => {
    const all = await leasedLab({ files: { "src/a": "a" } });
    git(join(all.path, "src"), "init", "-q");
    git(join(all.path, "src"), "config", "user.name", "A");
    git(join(all.path, "src"), "config", "user.email", "a@example.invalid");
    writeFileSync(join(all.path, "src/in-history"), "h");
    git(join(all.path, "src"), "add", "--all");
    git(join(all.path, "src"), "commit", "-qm", "inner");
    rmSync(join(all.path, "src/in-history"));
    await releaseSlot(all.context, { name: "t" });
    expect(existsSync(join(all.path, "src/.git"))).toBe(false);
    expect(await listRescues(all.context)).toHaveLength(1);
  });

  test("commits that only the administration folder of a deleted slot names", async () => {
    const all = await leasedLab();
    git(all.path, "checkout", "-q", "--detach");
    const detached = commitFiles(all.path, { "b.txt": "2" });
    rmSync(all.path, { recursive: true });
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true });
    collectGarbage(all);
    expect(all.repo.git("cat-file", "-t", detached)).toBe("commit");
  });

  test("a FIFO", async () => {
    const all = await leasedLab();
    execFileSync("mkfifo", [join(all.path, "pipe")]);
    writeFileSync(join(all.path, "x"), "x");
    await releaseSlot(all.context, { name: "t" });
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(all.context, "t/1", to, "/");
    expect(readFileSync(join(to, "x"), "utf8")).toBe("x");
  });

  test("a huge file below a folder whose name begins with .git", async () => {
    const all = await leasedLab();
    writeFiles(all.path, { ".github/big": BIG });
    await releaseSlot(all.context, { name: "t" });
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(all.context, "t/1", to, "/");
    expect(existsSync(join(to, ".github/big"))).toBe(true);
  });

  test("but no unchanged copy of a configured file: it may hold secrets", async () => {
    const made = await lab({ files: { ".gitignore": ".env\n" } }, { copy: [".env"] });
    writeFileSync(join(made.repo.dir, ".env"), "SECRET=1\n");
    await initPool(made.context, { size: 1 });
    const { path } = await acquireSlot(made.context, { task: "t" });
    expect(existsSync(join(path, ".env"))).toBe(true);
    expect((await releaseSlot(made.context, { name: "t" })).rescue).toBeUndefined();
    expect(existsSync(join(path, ".env"))).toBe(false);
    await acquireSlot(made.context, { task: "u" });
    writeFileSync(join(path, ".env"), "SECRET=2\n");
    const { rescue } = await releaseSlot(made.context, { name: "u" });
    expect([rescue?.files, rescue?.trashed.length]).toEqual([0, 1]);
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(made.context, "u/1", to, "/");
    expect(readFileSync(join(to, ".env"), "utf8")).toBe("SECRET=2\n");
  });

  test("a planted core.bare and core.worktree change nothing", async () => {
    const all = await leasedLab();
    const victim = tempFolder("victim");
    writeFileSync(join(victim, "precious"), "p");
    writeFileSync(join(all.path, "new"), "n");
    all.repo.git("config", "core.worktree", victim);
    all.repo.git("config", "core.bare", "true");
    expect((await releaseSlot(all.context, { name: "t" })).rescue?.files).toBe(1);
    await acquireSlot(all.context, { task: "u" });
    await cleanupPool(all.context, { force: false });
    expect(readFileSync(join(victim, "precious"), "utf8")).toBe("p");
  });
});

describe("nothing outside of a slot is touched", () => {
  test("a configured file is not copied through a link that leads out of the slot", async () => {
    const made = await lab({ files: { keep: "" } });
    writeFiles(made.repo.dir, { ".claude/project-profile.yaml": "profile\n" });
    const victim = tempFolder("victim");
    await initPool(made.context, { size: 1 });
    const { path } = await acquireSlot(made.context, { task: "t" });
    rmSync(join(path, ".claude"), { recursive: true });
    symlinkSync(victim, join(path, ".claude"));
    git(path, "add", "--all");
    git(path, "commit", "-qm", "link");
    await releaseSlot(made.context, { name: "t" });
    await acquireSlot(made.context, { task: "t" });
    expect(existsSync(join(victim, "project-profile.yaml"))).toBe(false);
  });

  test("a worktree of the user's own on a disk that is not there now is kept", async () => {
    const all = await leasedLab();
    const away = join(all.repo.parent, "usb", "wt");
    all.repo.git("worktree", "add", "-q", "--detach", away);
    const commit = commitFiles(away, { "on-usb": "1" });
    renameSync(join(all.repo.parent, "usb"), join(all.repo.parent, "unplugged"));
    rmSync(all.path, { recursive: true });
    await poolHealth(all.context, { fix: true });
    renameSync(join(all.repo.parent, "unplugged"), join(all.repo.parent, "usb"));
    expect(git(away, "rev-parse", "HEAD")).toBe(commit);
  });
});

test("a repository planted where the tree has a submodule runs nothing, and is kept", async () => {
  const { repo, context, slot } = await lab();
  repo.git("update-index", "--add", "--cacheinfo", `160000,${repo.git("rev-parse", "HEAD")},sub`);
  repo.git("commit", "-qm", "a submodule that nobody declared");
  await initPool(context, { size: 1 });
  const { path } = await acquireSlot(context, { task: "t" });
  const canary = join(repo.parent, "canary");
  git(join(path, "sub"), "init", "-q");
  commitFilesIn(join(path, "sub"));
  git(join(path, "sub"), "config", "core.fsmonitor", `touch ${canary}; false`);
  await releaseSlot(context, { name: "t" });
  expect(existsSync(canary)).toBe(false);
  expect((await listRescues(context))[0]?.note.trash).toHaveLength(1);
  expect(existsSync(join(slot("wt-1"), "sub/.git"))).toBe(false);
});

function commitFilesIn(dir: string): void {
  git(dir, "config", "user.name", "A");
  git(dir, "config", "user.email", "a@example.invalid");
  commitFiles(dir, { x: "x" });
}
