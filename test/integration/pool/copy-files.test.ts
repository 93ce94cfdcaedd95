import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copiedPaths, copyConfigured } from "../../../src/pool/copy-files.ts";
import { acquireSlot, initPool, releaseSlot } from "../../../src/pool/index.ts";
import { type Files, git, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";

/** A pool of one slot beside a checkout with these untracked files. */
async function labWith(
  untracked: Files,
  copy: string[] = [],
  tracked: Files = {},
): Promise<Lab & { take: (task?: string) => Promise<string> }> {
  const made = await lab({ files: { ".gitignore": ".env*\nconfig/secret/\nnode_modules/\n", ...tracked } }, { copy });
  writeFiles(made.repo.dir, untracked);
  await initPool(made.context, { size: 1 });
  return { ...made, take: async (task = "t") => (await acquireSlot(made.context, { task })).path };
}

const slotOf = (path: string) => ({ id: "wt-1", path });

describe("files are copied into a slot", () => {
  test("that pool.copy names, with their mode and times, and are gone after the release without a rescue", async () => {
    const { repo, context, take } = await labWith({ ".env": "A=1\n", "tools/run.sh": "#!/bin/sh\n", "tools/deep/no.sh": "" }, [
      ".env*",
      "tools/*.sh",
    ]);
    chmodSync(join(repo.dir, "tools/run.sh"), 0o750);
    utimesSync(join(repo.dir, ".env"), 1_000_000_000, 1_000_000_000);
    const path = await take();
    expect(readFileSync(join(path, ".env"), "utf8")).toBe("A=1\n");
    expect(statSync(join(path, ".env")).mtimeMs).toBe(1_000_000_000_000);
    expect(statSync(join(path, "tools/run.sh")).mode & 0o777).toBe(0o750);
    expect(existsSync(join(path, "tools/deep"))).toBe(false);
    expect((await releaseSlot(context, { name: "t" })).rescue).toBeUndefined();
    expect(existsSync(join(path, ".env"))).toBe(false);
    expect(readFileSync(join(await take("u"), ".env"), "utf8")).toBe("A=1\n");
  });

  test("that .worktreeinclude names, wherever they are, in other repositories and dependencies apart", async () => {
    const { take } = await labWith({
      ".worktreeinclude": "# for worktrees\n.env*\n!.env.example\n/config/secret/\n",
      ".env": "A=1\n",
      ".env.example": "",
      "apps/web/.env.local": "B=2\n",
      "config/secret/deep/key": "k",
      "node_modules/x/.env": "",
      "elsewhere/.git": "gitdir: nowhere\n",
      "elsewhere/.env": "C=3\n",
      "other.txt": "",
    });
    const path = await take();
    const there = (file: string) => existsSync(join(path, file));
    expect([".env", "apps/web/.env.local", "config/secret/deep/key"].filter((file) => !there(file))).toEqual([]);
    expect([".env.example", "node_modules", "elsewhere", "other.txt", ".worktreeinclude"].filter(there)).toEqual([]);
  });

  test("but never one that git tracks, or has staged, though the slot's base does not have it", async () => {
    const { repo, take } = await labWith({ "a.cfg": "a", "b.cfg": "b" }, ["*.cfg"]);
    repo.commit({ "a.cfg": "a" });
    repo.git("rm", "-q", "--cached", "a.cfg", "b.cfg");
    repo.git("commit", "-qm", "untracked again");
    repo.git("add", "b.cfg");
    const path = await take();
    expect([existsSync(join(path, "a.cfg")), existsSync(join(path, "b.cfg"))]).toEqual([true, false]);
  });

  test("but never over a file, and never through a link on either side", async () => {
    const made = await labWith({ "own/a.cfg": "theirs", "real/x.cfg": "x", "kept.cfg": "main's" }, ["**/*.cfg", "way/b.cfg"]);
    const outside = tempFolder("outside");
    writeFiles(outside, { "b.cfg": "outside" });
    symlinkSync(outside, join(made.repo.dir, "way"));
    symlinkSync("kept.cfg", join(made.repo.dir, "link.cfg"));
    const path = made.slot("wt-1");
    writeFiles(path, { "kept.cfg": "the slot's" });
    symlinkSync(outside, join(path, "own"));
    expect(await copyConfigured(made.context, slotOf(path))).toEqual(["real/x.cfg"]);
    expect(readFileSync(join(path, "kept.cfg"), "utf8")).toBe("the slot's");
    expect(existsSync(join(outside, "a.cfg"))).toBe(false);
    expect(lstatSync(join(path, "link.cfg"), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("and one that cannot be read keeps the slot from being handed out", async (context) => {
    if (process.getuid?.() === 0) context.skip("root reads every file");
    const { repo, take } = await labWith({ ".env": "A=1\n" }, [".env"]);
    chmodSync(join(repo.dir, ".env"), 0);
    await expect(take()).rejects.toMatchObject({ code: "SETUP_FAILED" });
  });
});

describe("a copy is nobody's work", () => {
  test("while it is unchanged, whatever became of the main worktree's", async () => {
    const { repo, context, take } = await labWith({ ".env": "A=1\n", ".env.local": "B=1\n" }, [".env*"]);
    const path = await take();
    writeFileSync(join(repo.dir, ".env"), "A=2\n");
    expect(copiedPaths(context, slotOf(path), [".env", ".env.local", "new.txt"])).toEqual([".env", ".env.local"]);
  });

  test("but what the agent changed is, also with its times put back", async () => {
    const { context, take } = await labWith({ ".env": "A=1\n", ".env.local": "B=1\n" }, [".env*"]);
    const path = await take();
    const { atime, mtime } = statSync(join(path, ".env"));
    writeFileSync(join(path, ".env"), "A=9\n");
    utimesSync(join(path, ".env"), atime, mtime);
    expect(copiedPaths(context, slotOf(path), [".env", ".env.local"])).toEqual([".env.local"]);
    const { rescue } = await releaseSlot(context, { name: "t" });
    // Kept in the trash: a push of all refs must not publish it.
    expect(git(path, "ls-tree", "--name-only", rescue?.commit ?? "")).not.toContain(".env");
    const [kept = ""] = rescue?.trashed ?? [];
    expect(readFileSync(kept, "utf8")).toBe("A=9\n");
  });

  test("nor is one that the agent wrote again with the same bytes, nor one below a link or a folder in its place", async () => {
    const { repo, context, take } = await labWith({ ".env": "A=1\n", "dir/.env": "B\n", "put.env": "" }, ["**/.env", "put.env"]);
    const path = await take();
    writeFileSync(join(path, ".env"), "A=1\n");
    expect(copiedPaths(context, slotOf(path), [".env"])).toEqual([".env"]);
    git(path, "clean", "-ffdxq");
    symlinkSync(join(repo.dir, "dir"), join(path, "dir"));
    mkdirSync(join(path, "put.env"));
    expect(copiedPaths(context, slotOf(path), ["dir/.env", "put.env", ".env"])).toEqual([]);
  });

  test("and its record may be damaged: then bytes are compared", async () => {
    const { repo, context, take } = await labWith({ ".env": "A=1\n" }, [".env"]);
    const path = await take();
    const record = join(context.repository.layout.root, "slots", "wt-1", "copies.json");
    expect(existsSync(record)).toBe(true);
    writeFileSync(record, "{");
    expect(copiedPaths(context, slotOf(path), [".env"])).toEqual([".env"]);
    writeFileSync(join(repo.dir, ".env"), "A=2\n");
    expect(copiedPaths(context, slotOf(path), [".env"])).toEqual([]);
  });
});
