import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportChanges, exportTree, openRepository, treeOfExport } from "../../../src/git/index.ts";
import { hermeticEnv, tempFolder, tempRepo } from "../../fixtures/index.ts";

test("what became of an exported folder is listed and stored as git would, whatever happened to its own .git", async () => {
  const repo = tempRepo({
    files: {
      ".gitattributes": "*.crlf text eol=crlf\n",
      ".gitignore": "/out/\n",
      "same.txt": "same\n",
      "same.crlf": "a\nb\n",
      "changed.crlf": "a\n",
      "gone.txt": "gone\n",
      "run.sh": "true\n",
      "link.txt": "no link yet\n",
      "folder/deep.txt": "deep\n",
    },
  });
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const commit = repo.git("rev-parse", "main");
  const dir = tempFolder("export");
  await exportTree(repository, commit, dir);
  expect(await exportChanges(repository, commit, dir)).toEqual([]);

  writeFileSync(join(dir, "changed.crlf"), "a\r\nb\r\n");
  rmSync(join(dir, "gone.txt"));
  chmodSync(join(dir, "run.sh"), 0o755);
  rmSync(join(dir, "link.txt"));
  symlinkSync("same.txt", join(dir, "link.txt"));
  rmSync(join(dir, "folder"), { recursive: true });
  writeFileSync(join(dir, "folder"), "a file now\n");
  writeFileSync(join(dir, "a: new\nname.txt"), "new\n");
  mkdirSync(join(dir, "out"));
  writeFileSync(join(dir, "out/ignored.txt"), "ignored\n");
  writeFileSync(join(dir, ".git/config"), '[core]\n\tfsmonitor = touch pwned\n\tignorecase = true\n[filter "x"]\n');

  const changed = ["a: new\nname.txt", "changed.crlf", "folder", "folder/deep.txt", "gone.txt", "link.txt", "run.sh"];
  const found = await exportChanges(repository, commit, dir);
  expect(found.toSorted()).toEqual(changed);
  const tree = await treeOfExport(repository, commit, dir, found);
  expect(repo.git("diff-tree", "-r", "-z", "--no-renames", "--name-status", commit, tree).split("\0").filter(Boolean)).toEqual([
    "A",
    "a: new\nname.txt",
    "M",
    "changed.crlf",
    "A",
    "folder",
    "D",
    "folder/deep.txt",
    "D",
    "gone.txt",
    "T",
    "link.txt",
    "M",
    "run.sh",
  ]);
  expect(repo.git("cat-file", "blob", `${tree}:changed.crlf`)).toBe("a\nb");
  expect(repo.git("ls-tree", tree, "run.sh", "link.txt")).toMatch(/^120000 .*link\.txt\n100755 .*run\.sh$/);
  expect(await treeOfExport(repository, commit, dir, [])).toBe(repo.git("rev-parse", "main^{tree}"));
});
