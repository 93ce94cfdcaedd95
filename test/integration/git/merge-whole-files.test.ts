import { expect, test } from "vitest";
import { openRepository, readFileAt } from "../../../src/git/index.ts";
import { mergeWholeFiles } from "../../../src/git/merge-whole-files.ts";
import { resolveConflicts } from "../../../src/merge/resolve-conflicts.ts";
import { hermeticEnv, type RepoOptions, tempRepo } from "../../fixtures/index.ts";

async function merged(options: RepoOptions) {
  const repo = tempRepo(options);
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const [ours, theirs] = [repo.git("rev-parse", "a"), repo.git("rev-parse", "b")];
  const conflict = await mergeWholeFiles(repository, { ours, theirs }, "too long");
  const text = async (path: string) => (await readFileAt(repository, conflict.tree, path))?.toString("utf8");
  return { conflict, text, repository };
}

test("each side's files are taken; a file that both changed has both texts between marks, and no rule takes it", async () => {
  const { conflict, text, repository } = await merged({
    files: { both: "1\n2\n3\n", gone: "x\n", kept: "k\n", same: "s\n" },
    branches: {
      a: { both: "A\n2\n3\n", mine: "m\n", same: "t\n", gone: null },
      b: { both: "1\n2\nB\n", theirs: "t\n", same: "t\n" },
    },
  });
  expect(conflict).toMatchObject({ late: true, paths: ["both"], messages: [{ paths: ["both"], text: "too long" }] });
  expect(conflict.stages.map(({ stage }) => stage)).toEqual([1, 2, 3]);
  expect(await text("both")).toBe("<<<<<<< the target\nA\n2\n3\n\n=======\n1\n2\nB\n\n>>>>>>> the task\n");
  expect([await text("mine"), await text("theirs"), await text("same"), await text("gone"), await text("kept")]).toEqual([
    "m\n",
    "t\n",
    "t\n",
    undefined,
    "k\n",
  ]);
  expect(await resolveConflicts(repository, conflict, { level: "assist", union: ["**"] })).toMatchObject({
    kind: "left",
    files: [{ path: "both", why: "git says: too long" }],
  });
});

test("a file that one side changed and the other deleted is a conflict; it stays", async () => {
  const { conflict, text } = await merged({
    files: { f: "1\n", g: "1\n" },
    branches: { a: { f: null, g: "2\n" }, b: { f: "2\n", g: null } },
  });
  expect(conflict.paths).toEqual(["f", "g"]);
  expect([await text("f"), await text("g")]).toEqual(["2\n", "2\n"]);
});

test("a merge without a conflict is one for a person all the same, and so are a file and a folder of one name", async () => {
  const clean = await merged({ files: { f: "1\n" }, branches: { a: { x: "1\n" }, b: { y: "1\n" } } });
  expect(clean.conflict).toMatchObject({ clean: false, late: true, paths: [] });
  expect(await clean.text("y")).toBe("1\n");
  const names = await merged({ files: { f: "1\n" }, branches: { a: { x: "1\n" }, b: { "x/y": "1\n" } } });
  expect(names.conflict).toMatchObject({ clean: false, late: true });
  expect([await names.text("x"), await names.text("x/y")]).toEqual(["1\n", undefined]);
});
