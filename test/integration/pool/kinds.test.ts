import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRepository } from "../../../src/git/index.ts";
import { acquireSlot, initPool, releaseSlot } from "../../../src/pool/index.ts";
import { commitFiles, git, hermeticEnv, tempFolder, tempRepo, writeFiles } from "../../fixtures/index.ts";
import { contextOf, lab } from "./lab.ts";

describe("kinds of repositories", () => {
  test.each([
    ["submodules", { ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ../x\n' }, [], /it has submodules/],
    ["a partial clone", {}, [["remote.origin.promisor", "true"]], /it is a partial clone/],
    ["an extension that nobody knows", {}, [["extensions.refstorage", "files"]], /it uses extensions\.refstorage/],
  ] as const)("%s: init refuses with the reason and makes nothing", async (_, files, settings, because) => {
    const { repo, context } = await lab({ files });
    for (const [key, value] of settings) repo.git("config", key, value);
    await expect(initPool(context, { size: 1 })).rejects.toMatchObject({
      code: "REPOSITORY_UNSUPPORTED",
      because: expect.stringMatching(because),
    });
    expect(repo.git("worktree", "list", "--porcelain").match(/^worktree /gm)).toHaveLength(1);
  });

  test("a bare one is refused, and so is one that this git cannot read", async () => {
    const bare = tempFolder("bare");
    git(bare, "init", "-q", "--bare");
    await expect(openRepository(bare, { parentEnv: hermeticEnv() })).rejects.toMatchObject({ code: "REPOSITORY_UNSUPPORTED" });
    const repo = tempRepo();
    repo.git("config", "core.repositoryformatversion", "1");
    repo.git("config", "extensions.future", "yes");
    await expect(openRepository(repo.dir, { parentEnv: hermeticEnv() })).rejects.toMatchObject({
      code: "REPOSITORY_UNSUPPORTED",
      because: expect.stringContaining("extension"),
    });
  });

  test.each(["sha256", "shallow"])("%s: acquire, unsaved work, release with a rescue", async (kind) => {
    const parent = tempFolder("kind");
    const dir = join(parent, "repo");
    if (kind === "sha256") git(parent, "init", "-q", "-b", "main", "--object-format=sha256", dir);
    else
      git(parent, "clone", "-q", "--depth=1", `file://${tempRepo({ commits: [{ files: { a: "1" } }, { files: { a: "2" } }] }).dir}`, dir);
    git(dir, "config", "user.name", "T");
    git(dir, "config", "user.email", "t@example.invalid");
    commitFiles(dir, { "file.txt": "one\n" });
    const context = contextOf(await openRepository(dir, { parentEnv: { ...hermeticEnv(), HOME: parent } }));
    await initPool(context, { size: 1 });
    const leased = await acquireSlot(context, { task: "t" });
    writeFiles(leased.path, { "file.txt": "two\n", "new.txt": "new\n" });
    const released = await releaseSlot(context, { name: "t" });
    expect(git(dir, "show", `${released.rescue?.commit}:file.txt`)).toBe("two");
    expect(readFileSync(join(leased.path, "file.txt"), "utf8")).toBe("one\n");
    expect(git(leased.path, "status", "--porcelain", "--ignored")).toBe("");
  });
});
