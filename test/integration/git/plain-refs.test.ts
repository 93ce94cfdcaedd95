import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRepository, resolveNames } from "../../../src/git/index.ts";
import { commitFiles, hermeticEnv, tempRepo } from "../../fixtures/index.ts";

/** What we say of each name beside what git says, and the commands that we needed git for. */
async function looked(dir: string, known: readonly string[], names: readonly string[]) {
  const asked: string[] = [];
  const context = { parentEnv: hermeticEnv(), onCommand: (argv: readonly string[]) => asked.push(argv[1] ?? "") };
  const repository = await openRepository(dir, context);
  asked.length = 0;
  return { found: Object.fromEntries(await resolveNames(repository, names, new Set(known))), asked };
}

function branches() {
  const repo = tempRepo();
  const [first, second] = [repo.git("rev-parse", "HEAD"), commitFiles(repo.dir, { "b.txt": "b" })];
  repo.git("branch", "packed", first);
  repo.git("branch", "both", first);
  repo.git("branch", "folder/leaf", first);
  repo.git("pack-refs", "--all");
  repo.git("branch", "-f", "both", second);
  repo.git("branch", "loose", second);
  return { repo, first, second };
}

test("branches in files, packed ones, those that are both and folders of them are read without git", async () => {
  const { repo, first, second } = branches();
  const names = [
    "HEAD^{commit}",
    ...["packed", "both", "loose", "folder/leaf", "folder", "ack", "none"].map((name) => `refs/heads/${name}`),
  ];
  const { found, asked } = await looked(repo.dir, [first, second], names);
  expect(asked).toEqual([]);
  expect(Object.values(found)).toEqual([second, first, second, second, first, undefined, undefined, undefined]);
});

test("a detached HEAD is read without git", async () => {
  const { repo, first } = branches();
  repo.git("checkout", "-q", "--detach", first);
  expect(await looked(repo.dir, [first], ["HEAD^{commit}"])).toEqual({ found: { "HEAD^{commit}": first }, asked: [] });
});

test("git is asked for names it has rules for, branches that stand for others, and damaged ones", async () => {
  const { repo, second } = branches();
  repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/loose");
  writeFileSync(join(repo.dir, ".git/refs/heads/damaged"), "no id\n");
  writeFileSync(join(repo.dir, ".git/refs/heads/loose^{tree}"), `${second}\n`);
  for (const [name, oid] of [
    ["loose", second],
    ["HEAD~1^{commit}", repo.git("rev-parse", "HEAD~1")],
    ["refs/heads/alias", second],
    ["refs/heads/damaged", undefined],
    ["refs/heads/../heads/loose", undefined],
    [`refs/heads/${"a".repeat(300)}`, undefined],
    // Its file says something, and is no branch's.
    ["refs/heads/loose^{tree}", repo.git("rev-parse", "loose^{tree}")],
  ] as const) {
    expect(await looked(repo.dir, [second], [name])).toEqual({ found: { [name]: oid }, asked: ["cat-file"] });
  }
  for (const name of ["damaged", "loose^{tree}"]) rmSync(join(repo.dir, ".git/refs/heads", name));
  repo.git("checkout", "-q", "--orphan", "unborn");
  expect(await looked(repo.dir, [second], ["HEAD^{commit}"])).toEqual({ found: { "HEAD^{commit}": undefined }, asked: ["cat-file"] });
});

test("git is asked about an id that is not known: a ref's file may name what is not there", async () => {
  const { repo, second } = branches();
  const name = "refs/heads/loose";
  expect(await looked(repo.dir, [], [name])).toEqual({ found: { [name]: second }, asked: ["cat-file"] });
  writeFileSync(join(repo.dir, ".git", name), `${"12".repeat(20)}\n`);
  expect(await looked(repo.dir, [second], [`${name}^{commit}`])).toEqual({
    found: { [`${name}^{commit}`]: undefined },
    asked: ["cat-file"],
  });
});
