import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acquireSlot, initPool, listRescues, poolHealth, releaseSlot, restoreRescue } from "../../../src/pool/index.ts";
import { atEnd, commitFiles, git, hermeticEnv, tempFolder } from "../../fixtures/index.ts";
import { ATTACKED, ATTACKS, EVIL } from "./attacks.ts";
import { folderBytes, heldBytes } from "./folder-bytes.ts";
import { type Lab, lab } from "./lab.ts";

async function attackedLab(): Promise<Lab & { path: string; admin: string; victim: string }> {
  const all = await lab({ files: ATTACKED }, { setup: "none" });
  const victim = tempFolder("victim");
  git(victim, "init", "--quiet", "--template=");
  git(victim, "config", "user.name", "V");
  git(victim, "config", "user.email", "v@example.invalid");
  commitFiles(victim, { precious: "precious\n" });
  await initPool(all.context, { size: 1 });
  const { path } = await acquireSlot(all.context, { task: "t" });
  return { ...all, path, victim, admin: join(all.repo.dir, ".git/worktrees/wt-1") };
}

/** What the slot has to be: a clone made by git itself, from nothing that the slot has. */
function pristine({ repo }: Lab): Map<string, string> {
  const clone = join(tempFolder("pristine"), "clone");
  git("/", "clone", "--quiet", "--no-local", "--template=", repo.dir, clone);
  return folderBytes(clone);
}

/** `git status` with an index of its own, made anew: nothing that the slot's index says counts. */
function freshStatus({ repo }: Lab, path: string): string {
  const env = { ...hermeticEnv(), GIT_INDEX_FILE: join(tempFolder("index"), "index"), GIT_NO_REPLACE_OBJECTS: "1" };
  const run = (...args: string[]): string =>
    execFileSync("git", ["--git-dir", join(repo.dir, ".git/worktrees/wt-1"), "--work-tree", path, ...args], {
      cwd: path,
      env,
      encoding: "utf8",
    });
  run("read-tree", "HEAD");
  return run("status", "--porcelain", "--ignored");
}

describe("after a release and the next acquire the slot is its commit, byte for byte", () => {
  test.each(Object.entries(ATTACKS))("%s", async (_, { make, saved }) => {
    const all = await attackedLab();
    make({ path: all.path, admin: all.admin, repo: all.repo, victim: all.victim });
    const victim = folderBytes(all.victim);
    const head = git(all.victim, "rev-parse", "HEAD");

    const { rescue } = await releaseSlot(all.context, { name: "t" });
    await acquireSlot(all.context, { task: "next" });
    expect(folderBytes(all.path)).toEqual(pristine(all));
    expect(freshStatus(all, all.path)).toBe("");
    expect(git(all.path, "status", "--porcelain", "--ignored")).toBe("");
    expect(git(all.path, "ls-files", "-v").match(/^[^H]/gm)).toBeNull();
    expect(readdirSync(all.admin).filter((name) => name !== "logs")).toEqual(["HEAD", "commondir", "gitdir", "index", "locked"]);
    expect(folderBytes(all.victim)).toEqual(victim);
    expect(git(all.victim, "rev-parse", "HEAD")).toBe(head);
    if (saved === undefined) return;
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(all.context, rescue?.id ?? "", to, "/");
    expect(Object.fromEntries(heldBytes(folderBytes(to)))).toMatchObject(
      Object.fromEntries(Object.entries(saved).map(([path, text]) => [path, `file ${text}`])),
    );
  });
});

describe("where a slot cannot be made clean it is not handed out, and nothing is lost", () => {
  test.for(["src/f1", "untracked"])("an immutable file: %s", async (name, { skip }) => {
    const all = await attackedLab();
    const file = join(all.path, name);
    writeFileSync(file, EVIL);
    const loose = (): void => void spawnSync("chattr", ["-i", file]);
    atEnd(loose);
    if (spawnSync("chattr", ["+i", file]).status !== 0) skip("chattr +i is not allowed here");
    await expect(releaseSlot(all.context, { name: "t" })).rejects.toThrow();
    await expect(acquireSlot(all.context, { task: "next" })).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    expect(readFileSync(file, "utf8")).toBe(EVIL);
    expect(existsSync(join(all.path, "src/f2"))).toBe(true);
    loose();
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true });
    await acquireSlot(all.context, { task: "next" });
    expect(folderBytes(all.path)).toEqual(pristine(all));
    const [rescue] = await listRescues(all.context);
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(all.context, rescue?.id ?? "", to, "/");
    expect(readFileSync(join(to, name), "utf8")).toBe(EVIL);
  });

  test("the slot's folder replaced by a link to a repository", async () => {
    const all = await attackedLab();
    writeFileSync(join(all.path, "new"), "work");
    renameSync(all.path, join(all.repo.parent, "moved"));
    symlinkSync(all.victim, all.path);
    const victim = folderBytes(all.victim);
    await expect(releaseSlot(all.context, { name: "t" })).rejects.toMatchObject({ code: "SLOT_QUARANTINED" });
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true });
    await acquireSlot(all.context, { task: "next" });
    expect(folderBytes(all.path)).toEqual(pristine(all));
    expect(folderBytes(all.victim)).toEqual(victim);
    expect(readFileSync(join(all.repo.parent, "moved/new"), "utf8")).toBe("work");
  });
});
