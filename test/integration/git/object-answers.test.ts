import { expect, test } from "vitest";
import { mergeBase, openRepository, readFileAt, treeOf } from "../../../src/git/index.ts";
import { commitFiles, hermeticEnv, tempRepo } from "../../fixtures/index.ts";

async function counted(dir: string) {
  const asked: string[] = [];
  const repository = await openRepository(dir, {
    parentEnv: hermeticEnv(),
    onCommand: (argv: readonly string[]) => asked.push(argv[1] ?? ""),
  });
  asked.length = 0;
  return { repository, asked };
}

test("what follows from objects alone is asked once a process, also by two at once", async () => {
  const repo = tempRepo();
  const [first, second] = [repo.git("rev-parse", "HEAD"), commitFiles(repo.dir, { "b.txt": "b" })];
  const { repository, asked } = await counted(repo.dir);
  const tree = repo.git("rev-parse", "HEAD^{tree}");
  expect(await Promise.all([treeOf(repository, second), treeOf(repository, second)])).toEqual([tree, tree]);
  expect([await mergeBase(repository, first, second), await mergeBase(repository, first, second)]).toEqual([first, first]);
  expect((await readFileAt(repository, second, "b.txt"))?.toString()).toBe("b");
  expect((await readFileAt(repository, second, "b.txt"))?.toString()).toBe("b");
  expect(asked).toEqual(["rev-parse", "merge-base", "cat-file"]);
});

test("an object that is missing is asked for again, and found when it has come", async () => {
  const [from, repo] = [tempRepo(), tempRepo()];
  const commit = commitFiles(from.dir, { "new.txt": "new" });
  const { repository } = await counted(repo.dir);
  await expect(treeOf(repository, commit)).rejects.toMatchObject({ code: "GIT_FAILED" });
  expect(await readFileAt(repository, commit, "new.txt")).toBeUndefined();
  repo.git("fetch", "-q", from.dir, commit);
  expect(await treeOf(repository, commit)).toBe(from.git("rev-parse", "HEAD^{tree}"));
  expect((await readFileAt(repository, commit, "new.txt"))?.toString()).toBe("new");
});

test("a history that is made deeper has its ancestors from then on", async () => {
  const from = tempRepo();
  const first = from.git("rev-parse", "HEAD");
  const second = commitFiles(from.dir, { "b.txt": "b" });
  const third = commitFiles(from.dir, { "c.txt": "c" });
  const repo = tempRepo();
  repo.git("fetch", "-q", "--depth=1", `file://${from.dir}`, third);
  repo.git("fetch", "-q", "--depth=1", `file://${from.dir}`, second);
  const { repository } = await counted(repo.dir);
  expect(await mergeBase(repository, second, third)).toBeUndefined();
  repo.git("fetch", "-q", "--depth=2", `file://${from.dir}`, third);
  expect(await mergeBase(repository, second, third)).toBe(second);
  repo.git("fetch", "-q", "--unshallow", `file://${from.dir}`, third);
  expect(await mergeBase(repository, first, third)).toBe(first);
});
