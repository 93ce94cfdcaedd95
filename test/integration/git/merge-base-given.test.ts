import { expect, test } from "vitest";
import { mergeTrees, openRepository } from "../../../src/git/index.ts";
import { commitFiles, hermeticEnv, tempRepo } from "../../fixtures/index.ts";

/** Work on `base`, which follows `first` by one commit. */
async function histories() {
  const repo = tempRepo({ files: { a: "a\n", b: "b\n" } });
  const first = repo.git("rev-parse", "HEAD");
  const base = commitFiles(repo.dir, { b: "b2\n", lost: "lost\n" });
  const work = commitFiles(repo.dir, { work: "work\n" });
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const merged = async (ours: string): Promise<string[]> => {
    const merge = await mergeTrees(repository, ours, work, base);
    expect(merge.clean).toBe(true);
    return repo.git("ls-tree", "-r", "--name-only", merge.tree).split("\n");
  };
  return { repo, first, base, work, repository, merged };
}

test("a merge from a given base brings nothing that lies before it: the target was reset behind it", async () => {
  const { first, merged } = await histories();
  expect(await merged(first)).toEqual(["README.md", "a", "b", "work"]);
});

test("the same where the target went on after the reset", async () => {
  const { repo, first, merged } = await histories();
  repo.git("checkout", "-q", first);
  const other = commitFiles(repo.dir, { other: "other\n" });
  expect(await merged(other)).toContain("other");
  expect(await merged(other)).not.toContain("lost");
});

test("work that merged what the target has: the target's later change of it is no conflict", async () => {
  const { repo, first, base, repository } = await histories();
  repo.git("checkout", "-q", first);
  const other = commitFiles(repo.dir, { other: "other\n" });
  const later = commitFiles(repo.dir, { other: "later\n" });
  repo.git("checkout", "-q", base);
  repo.git("merge", "-q", "-m", "merge", other);
  const work = commitFiles(repo.dir, { work: "work\n" });
  const merge = await mergeTrees(repository, later, work, base);
  expect(merge.clean).toBe(true);
  expect(repo.git("show", `${merge.tree}:other`)).toBe("later");
  expect(repo.git("ls-tree", "-r", "--name-only", merge.tree)).not.toContain("lost");
});

test("work that merged the target as it is brings nothing that lies before the given base either", async () => {
  const { repo, first, base, repository } = await histories();
  repo.git("checkout", "-q", first);
  const other = commitFiles(repo.dir, { other: "other\n" });
  repo.git("checkout", "-q", base);
  repo.git("merge", "-q", "-m", "merge", other);
  const work = commitFiles(repo.dir, { work: "work\n" });
  const { tree } = await mergeTrees(repository, other, work, base);
  expect(repo.git("ls-tree", "-r", "--name-only", tree).split("\n")).toEqual(["README.md", "a", "b", "other", "work"]);
});
