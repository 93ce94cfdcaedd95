import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import {
  acquireSlot,
  cleanupPool,
  initPool,
  listRescues,
  poolHealth,
  pruneRescues,
  releaseSlot,
  restoreRescue,
} from "../../../src/pool/index.ts";
import { commitFiles, git, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { folderBytes } from "./folder-bytes.ts";
import { type Lab, lab } from "./lab.ts";

/** A folder of somebody else's that no verb may write to, take from or delete from. */
type Canary = { path: string; unchanged: () => void };

function canary(): Canary {
  const path = tempFolder("canary");
  writeFiles(path, {
    precious: "p\n",
    "secret.txt": "s\n",
    "deep/er": "d\n",
    "package.json": "{}\n",
    ".cache/c": "c\n",
    "node_modules/x/index.js": "x\n",
  });
  writeFileSync(join(path, "program"), "#!/bin/sh\n", { mode: 0o755 });
  const look = (): unknown => [folderBytes(path), ...["", "deep", "precious", "program"].map((name) => timesOf(join(path, name)))];
  const before = look();
  return { path, unchanged: () => expect(look()).toEqual(before) };
}

function timesOf(path: string): unknown {
  const { mode, ino, mtimeMs, ctimeMs } = statSync(path);
  return { mode, ino, mtimeMs, ctimeMs };
}

/** Six ways in which a slot leads to a folder outside of it. */
const LINKS: Readonly<Record<string, (slot: string, outside: string) => void>> = {
  "an absolute link": (slot, outside) => symlinkSync(outside, join(slot, "absolute")),
  "a relative link": (slot, outside) => symlinkSync(relative(slot, outside), join(slot, "relative")),
  "links in a kept folder": (slot, outside) => {
    rmSync(join(slot, "node_modules"), { recursive: true, force: true });
    mkdirSync(join(slot, "node_modules/@scope"), { recursive: true });
    for (const name of ["pkg", "@scope/pkg", ".cache", ".vite"]) symlinkSync(outside, join(slot, "node_modules", name));
    // More than is deleted while somebody waits.
    for (let n = 0; n < 600; n++) symlinkSync(outside, join(slot, "node_modules", `link-${n}`));
  },
  "a link named .claude": (slot, outside) => symlinkSync(outside, join(slot, ".claude")),
  "a link named node_modules": (slot, outside) => {
    rmSync(join(slot, "node_modules"), { recursive: true, force: true });
    symlinkSync(outside, join(slot, "node_modules"));
  },
  "links in folders, and one in a tracked folder's place": (slot, outside) => {
    mkdirSync(join(slot, "new/deep"), { recursive: true });
    symlinkSync(outside, join(slot, "new/deep/link"));
    symlinkSync("link/deep", join(slot, "new/deep/chain"));
    symlinkSync(outside, join(slot, "src/link"));
    rmSync(join(slot, "tracked"), { recursive: true });
    symlinkSync(outside, join(slot, "tracked"));
  },
};

const SETTINGS = { copy: [".claude/**", ".env", "conf/*.local"] };

/** One slot for each kind of link, and files in the user's checkout that every slot gets a copy of. */
async function linked(): Promise<Lab & { canaries: Canary[] }> {
  const all = await lab({ files: { "src/a": "a\n", "tracked/precious": "ours\n", "tracked/deep/er": "ours\n" }, package: {} }, SETTINGS);
  writeFiles(all.repo.dir, { ".claude/project-profile.yaml": "profile\n", ".env": "SECRET=1\n", "conf/x.local": "x\n" });
  await initPool(all.context, { size: Object.keys(LINKS).length });
  const canaries: Canary[] = [];
  for (const [index, link] of Object.values(LINKS).entries()) {
    const { path } = await acquireSlot(all.context, { task: `t-${index}` });
    rmSync(join(path, ".claude"), { recursive: true, force: true });
    const outside = canary();
    link(path, outside.path);
    canaries.push(outside);
  }
  return { ...all, canaries };
}

async function eachTask(work: (task: string) => Promise<unknown>): Promise<void> {
  for (const index of Object.keys(LINKS).keys()) await work(`t-${index}`);
}

/** What is deleted in the background is gone. */
const nothingBeingDeleted = ({ repo }: Lab): Promise<void> =>
  expect
    .poll(() => readdirSync(`${repo.dir}.pool`).includes("trash") && readdirSync(`${repo.dir}.pool/trash`).join(), { timeout: 30_000 })
    .not.toMatch(/deleting-/);

describe("folders that a slot has links to", () => {
  test("are as they were after release and the next acquire", async () => {
    const all = await linked();
    await eachTask((task) => releaseSlot(all.context, { name: task }));
    await eachTask((task) => acquireSlot(all.context, { task: `next-${task}` }));
    await nothingBeingDeleted(all);
    for (const { unchanged } of all.canaries) unchanged();
    for (const id of Object.keys(LINKS).map((_, index) => `wt-${index + 1}`)) {
      expect(lstatSync(join(all.slot(id), ".claude")).isDirectory()).toBe(true);
      expect(git(all.slot(id), "status", "--porcelain", "--ignored=no", "--", "src", "tracked", "new")).toBe("");
    }
  });

  test("are as they were after cleanup and reset", async () => {
    const all = await linked();
    await cleanupPool(all.context, { force: false });
    await initPool(all.context, { size: 1 });
    await nothingBeingDeleted(all);
    for (const { unchanged } of all.canaries) unchanged();
  });

  test("are as they were after a restore, which makes links again as links", async () => {
    const all = await linked();
    await eachTask((task) => releaseSlot(all.context, { name: task }));
    for (const { id } of await listRescues(all.context)) {
      const to = join(tempFolder("restored"), "out");
      await restoreRescue(all.context, id, to, "/");
      if (id.startsWith("t-0/")) expect(lstatSync(join(to, "absolute")).isSymbolicLink()).toBe(true);
      if (id.startsWith("t-5/")) expect(lstatSync(join(to, "tracked")).isSymbolicLink()).toBe(true);
    }
    for (const { unchanged } of all.canaries) unchanged();
  });

  test("are as they were after a health --fix that makes slots anew", async () => {
    const all = await linked();
    for (const id of ["wt-1", "wt-4"]) all.repo.git("worktree", "unlock", all.slot(id));
    rmSync(join(all.repo.dir, ".git/worktrees/wt-2"), { recursive: true });
    await poolHealth(all.context, { fix: true });
    await nothingBeingDeleted(all);
    for (const { unchanged } of all.canaries) unchanged();
  });
});

describe("copies of configured files", () => {
  test("do not go through a link that the base has, and none is made of what a link in the checkout shows", async () => {
    const outside = canary();
    const all = await lab({}, { copy: [".claude/**/*.txt", ".env", "conf/*.local"], setup: "none" });
    writeFiles(all.repo.dir, { ".claude/real.txt": "r\n", "conf/x.local": "x\n" });
    symlinkSync(join(outside.path, "precious"), join(all.repo.dir, ".env"));
    symlinkSync(outside.path, join(all.repo.dir, ".claude/more"));
    await initPool(all.context, { size: 1 });
    const { path } = await acquireSlot(all.context, { task: "t" });
    expect(readdirSync(path).sort()).toEqual([".claude", ".git", "README.md", "conf"]);
    expect(readdirSync(join(path, ".claude"))).toEqual(["real.txt"]);
    rmSync(join(path, "conf"), { recursive: true });
    symlinkSync(outside.path, join(path, "conf"));
    const tip = commitFiles(path, {});
    await releaseSlot(all.context, { name: "t" });
    await acquireSlot(all.context, { task: "u", base: tip });
    expect(lstatSync(join(path, "conf")).isSymbolicLink()).toBe(true);
    outside.unchanged();
  });
});

describe("a rescue that an agent made up", () => {
  const forge = ({ repo }: Lab, trash: { path: string; kept: string }[], tree = "HEAD^{tree}"): void => {
    const note = { task: "t", slot: "wt-1", branch: null, head: null, reason: "forged", at: "2026-01-01", files: [], trash, extra: [] };
    repo.git("update-ref", "refs/graftwork/rescue/t/9", repo.git("commit-tree", "-m", `rescue of t\n\n${JSON.stringify(note)}`, tree));
  };

  test.each([
    ["a path that leads out", (outside: string, to: string) => relative(to, join(outside, "precious"))],
    ["an absolute path", (outside: string) => join(outside, "precious")],
    ["a path below a link of its own", () => "link/precious"],
    ["the folder itself", () => "."],
  ])("writes nothing outside of the folder it is restored to: %s", async (_, pathOf) => {
    const all = await lab();
    const [outside, to] = [canary(), join(tempFolder("restored"), "out")];
    await initPool(all.context, { size: 1 });
    symlinkSync(outside.path, join(all.repo.dir, "link"));
    all.repo.git("add", "link");
    const evil = join(tempFolder("evil"), "evil");
    writeFileSync(evil, "evil\n");
    forge(all, [{ path: pathOf(outside.path, to), kept: evil }], all.repo.git("write-tree"));
    await restoreRescue(all.context, "t/9", to, "/");
    outside.unchanged();
    expect(readFileSync(join(to, "README.md"), "utf8")).toBe("# sample\n");
  });
});

describe("a trash that an agent made a link", () => {
  test("takes nothing to where it leads; the slot is not cleared", async () => {
    const all = await lab({}, { setup: "none" });
    const outside = canary();
    await initPool(all.context, { size: 1 });
    const { path } = await acquireSlot(all.context, { task: "t" });
    symlinkSync(outside.path, `${all.repo.dir}.pool/trash`);
    writeFileSync(join(path, "huge"), "x".repeat(2 * 2 ** 20));
    await expect(releaseSlot(all.context, { name: "t" })).rejects.toMatchObject({ code: "RESCUE_FAILED" });
    expect(statSync(join(path, "huge")).size).toBe(2 * 2 ** 20);
    outside.unchanged();
  });

  test("is not what `rescue prune` deletes from", async () => {
    const all = await lab({}, { setup: "none" });
    const outside = canary();
    await initPool(all.context, { size: 1 });
    symlinkSync(outside.path, `${all.repo.dir}.pool/trash`);
    const later = { ...all.context, now: () => new Date(Date.now() + 365 * 24 * 3_600_000) };
    expect((await pruneRescues(later)).trash).toEqual([]);
    outside.unchanged();
  });
});
