import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRepository, readRef, resolveCommit, resolveNames } from "../../../src/git/index.ts";
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

test("a commit and a ref mean what git says, packed, loose, standing for another, damaged or missing", async () => {
  const { repo, first, second } = branches();
  repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/packed");
  repo.git("update-ref", "refs/graftwork/kept", first);
  repo.git("tag", "-a", "-m", "a tag", "tagged", second);
  repo.git("update-ref", "refs/graftwork/tagged", "tagged");
  writeFileSync(join(repo.dir, ".git/refs/heads/damaged"), "no id\n");
  writeFileSync(join(repo.dir, ".git/refs/heads/lost"), `${"12".repeat(20)}\n`);
  const linked = join(repo.parent, "linked");
  repo.git("worktree", "add", "-q", "--detach", linked, first);
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const says = (cwd: string, ...args: string[]) => {
    const said = spawnSync("git", args, { cwd, encoding: "utf8", env: hermeticEnv() });
    return said.status === 0 ? said.stdout.trim() : undefined;
  };
  const branch = ["packed", "both", "loose", "folder/leaf", "folder", "none", "alias", "damaged", "lost"].map(
    (name) => `refs/heads/${name}`,
  );
  for (const name of [...branch, "refs/graftwork/kept", "refs/graftwork/tagged", "refs/tags/tagged"]) {
    expect([name, await readRef(repository, name)]).toEqual([name, says(repo.dir, "rev-parse", "--verify", "--quiet", name)]);
    expect([name, await resolveCommit(repository, name)]).toEqual([
      name,
      says(repo.dir, "rev-parse", "--verify", "--quiet", `${name}^{commit}`),
    ]);
  }
  expect(await resolveCommit(repository, "HEAD")).toBe(second);
  expect(await resolveCommit(repository, "HEAD", linked)).toBe(first);
  // What was there once in this process, and is moved meanwhile, is read anew.
  repo.git("branch", "-f", "loose", first);
  expect(await readRef(repository, "refs/heads/loose")).toBe(first);
});
