import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exportTree } from "../../../src/git/index.ts";
import { acquireSlot, initPool, poolHealth, releaseSlot, restoreRescue } from "../../../src/pool/index.ts";
import { commitFiles, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { folderBytes } from "./folder-bytes.ts";
import { type Lab, lab } from "./lab.ts";

type Leased = Lab & { path: string; common: string };

/** A pool of two with a live lease; `before` is done by the user, before there is a pool. */
async function leased(before: (all: Lab) => void = () => undefined): Promise<Leased> {
  const all = await lab({ files: { "a.txt": "a\n", "b.txt": "b\n" }, commits: [{ files: { "a.txt": "second\n" } }] }, { setup: "none" });
  before(all);
  await initPool(all.context, { size: 2 });
  const { path } = await acquireSlot(all.context, { task: "t" });
  return { ...all, path, common: join(all.repo.dir, ".git") };
}

const refsBelow = ({ repo }: Lab, prefix: string): string[] =>
  repo
    .git("for-each-ref", "--format=%(refname) %(objectname)", prefix)
    .split("\n")
    .filter((line) => line !== "");

describe("objects that an agent replaces by others", () => {
  /** A blob, a tree and a commit of the base, each shown as another one. */
  function replaceAll({ repo }: Lab): void {
    const commit = repo.git("commit-tree", "-m", "evil", "HEAD~1^{tree}");
    repo.git("replace", "HEAD:b.txt", "HEAD:a.txt");
    repo.git("replace", "HEAD^{tree}", "HEAD~1^{tree}");
    repo.git("replace", "HEAD", commit);
  }

  test("are what they were to acquire, release, rescue, restore and an export", async () => {
    const all = await leased();
    const head = all.repo.git("rev-parse", "HEAD");
    replaceAll(all);
    expect(all.repo.git("show", "HEAD:a.txt")).toBe("a");
    const { path } = await acquireSlot(all.context, { task: "u" });
    expect(readFileSync(join(path, "a.txt"), "utf8")).toBe("second\n");
    expect(readFileSync(join(path, "b.txt"), "utf8")).toBe("b\n");
    replaceAll(all);
    writeFileSync(join(path, "new"), "n");
    const bytes = folderBytes(path);
    const { rescue } = await releaseSlot(all.context, { name: "u" });
    replaceAll(all);
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(all.context, rescue?.id ?? "", to, "/");
    expect(folderBytes(to)).toEqual(bytes);
    const exported = join(tempFolder("exported"), "out");
    mkdirSync(exported);
    await exportTree(all.context.repository, head, exported);
    expect(readFileSync(join(exported, "a.txt"), "utf8")).toBe("second\n");
    expect(readFileSync(join(exported, "b.txt"), "utf8")).toBe("b\n");
  });

  test("are named by health, and put aside by --fix or a release: nothing of them is lost", async () => {
    const all = await leased();
    replaceAll(all);
    const planted = refsBelow(all, "refs/replace/");
    const { findings } = await poolHealth(all.context, { fix: false });
    expect(findings.filter(({ kind }) => kind === "settings-planted").map(({ subject }) => subject)).toEqual(
      planted.map((line) => line.split(" ")[0]),
    );
    expect(findings[0]?.text).toMatch(/the replacement of object [0-9a-f]{40} was added/);
    await poolHealth(all.context, { fix: true });
    expect(refsBelow(all, "refs/replace/")).toEqual([]);
    expect(refsBelow(all, "refs/graftwork/planted/").map((line) => line.split(" ")[1])).toEqual(planted.map((line) => line.split(" ")[1]));
    replaceAll(all);
    all.repo.git("pack-refs", "--all");
    await releaseSlot(all.context, { name: "t" });
    expect(refsBelow(all, "refs/replace/")).toEqual([]);
    expect(all.said.join("\n")).toMatch(/put back: the replacement of object [0-9a-f]{40} was added/);
    expect((await poolHealth(all.context, { fix: false })).findings).toEqual([]);
  });

  test("stay replaced where the user did it before; what an agent makes of that is put back", async () => {
    const all = await leased(({ repo }) => repo.git("replace", "HEAD:b.txt", "HEAD:a.txt"));
    const own = refsBelow(all, "refs/replace/");
    all.repo.git("pack-refs", "--all");
    await releaseSlot(all.context, { name: "t" });
    expect(refsBelow(all, "refs/replace/")).toEqual(own);
    expect(all.said.join("\n")).not.toContain("put back");
    for (const change of [
      ["replace", "-f", "HEAD:b.txt", "HEAD~1:a.txt"],
      ["replace", "-d", all.repo.git("rev-parse", "HEAD:b.txt")],
    ]) {
      await acquireSlot(all.context, { task: "t" });
      all.repo.git(...change);
      await releaseSlot(all.context, { name: "t" });
      expect(refsBelow(all, "refs/replace/")).toEqual(own);
    }
  });
});

describe("the user's own hooks", () => {
  const BINARY = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe, 0, 0x0d, 0x0a]);

  test("come back byte for byte, programs too, and a folder beside them is left alone", async () => {
    const all = await leased(({ repo }) => {
      mkdirSync(join(repo.dir, ".git/hooks/lib"), { recursive: true });
      writeFileSync(join(repo.dir, ".git/hooks/lib/shared.sh"), "shared\n");
      writeFileSync(join(repo.dir, ".git/hooks/pre-push"), BINARY, { mode: 0o755 });
    });
    writeFileSync(join(all.common, "hooks/pre-push"), "#!/bin/sh\nevil\n");
    await releaseSlot(all.context, { name: "t" });
    expect(readFileSync(join(all.common, "hooks/pre-push"))).toEqual(BINARY);
    expect(statSync(join(all.common, "hooks/pre-push")).mode & 0o111).not.toBe(0);
    expect(readdirSync(join(all.common, "hooks/lib"))).toEqual(["shared.sh"]);
  });

  test("come back where their folder became a link; nothing is written through it", async () => {
    const all = await leased(({ repo }) => {
      mkdirSync(join(repo.dir, ".git/hooks"), { recursive: true });
      writeFileSync(join(repo.dir, ".git/hooks/pre-push"), BINARY, { mode: 0o755 });
    });
    const victim = tempFolder("victim");
    writeFiles(victim, { "pre-push": "theirs\n", "post-commit": "theirs\n" });
    renameSync(join(all.common, "hooks"), join(all.common, "gone"));
    symlinkSync(victim, join(all.common, "hooks"));
    await releaseSlot(all.context, { name: "t" });
    expect(lstatSync(join(all.common, "hooks")).isDirectory()).toBe(true);
    expect(readFileSync(join(all.common, "hooks/pre-push"))).toEqual(BINARY);
    expect(folderBytes(victim)).toEqual(new Map(["post-commit", "pre-push"].map((name) => [name, "file theirs\n"])));
  });

  test("a hook that is a link to a file elsewhere goes; that file keeps its mode", async () => {
    const all = await leased();
    const file = join(tempFolder("victim"), "tool");
    writeFileSync(file, "#!/bin/sh\n");
    chmodSync(file, 0o755);
    mkdirSync(join(all.common, "hooks"), { recursive: true });
    symlinkSync(file, join(all.common, "hooks/post-checkout"));
    await releaseSlot(all.context, { name: "t" });
    expect(existsSync(join(all.common, "hooks/post-checkout"))).toBe(false);
    expect(statSync(file).mode & 0o777).toBe(0o755);
  });
});

test("settings that are read for the user's checkout alone are put back as well", async () => {
  const all = await leased(({ repo }) => {
    repo.git("config", "core.repositoryformatversion", "1");
    repo.git("config", "extensions.worktreeConfig", "true");
    repo.git("config", "--worktree", "core.editor", "vi");
  });
  all.repo.git("config", "--worktree", "core.editor", "evil");
  all.repo.git("config", "--worktree", "core.fsmonitor", "evil");
  all.repo.git("config", "--worktree", "core.sparseCheckout", "false");
  await releaseSlot(all.context, { name: "t" });
  expect(all.repo.git("config", "core.editor")).toBe("vi");
  expect(() => all.repo.git("config", "core.fsmonitor")).toThrow();
  expect(all.repo.git("config", "--worktree", "core.sparseCheckout")).toBe("false");
  expect(all.said.join("\n")).toContain("core.fsmonitor = evil in config.worktree (was: not set)");
});

test("a commit made while an object was replaced is what the agent wrote", async () => {
  const all = await leased();
  all.repo.git("replace", "HEAD:b.txt", "HEAD:a.txt");
  const tip = commitFiles(all.path, { "c.txt": "c\n" });
  await releaseSlot(all.context, { name: "t" });
  expect(all.repo.git("rev-parse", "auto/t")).toBe(tip);
  expect(all.repo.git("show", `${tip}:b.txt`)).toBe("b");
});
