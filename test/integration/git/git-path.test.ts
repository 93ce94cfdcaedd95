import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { below, pathProblem } from "../../../src/git/index.ts";
import { tempRepo } from "../../fixtures/index.ts";

const NAMES = [
  ".",
  "..",
  ".git",
  ".GIT",
  "git~1",
  "GIT~1",
  ".git ",
  ".git.",
  ".git . .",
  ".git:x",
  ".g\u200cit",
  ".gi\ufefft",
  ".Git\u206f",
];
const SOUND = [
  "a",
  "...",
  ".gitx",
  ".gitignore",
  "git~2",
  "x.git",
  "git",
  ".gi",
  "a..b",
  "..a",
  "git~1x",
  ".git~1",
  "ä",
  "\udcff",
  "a b",
  "-",
];

/** Names that git's own check of a tree calls an error, of those given. */
function refusedByGit(names: readonly string[]): Set<string> {
  const repo = tempRepo({});
  const blob = repo.git("hash-object", "-w", "--stdin");
  const run = (args: readonly string[], input: string): string => {
    const end = spawnSync("git", args, { cwd: repo.dir, input, encoding: "utf8" });
    return `${end.stdout}${end.stderr}`;
  };
  const trees = run(["mktree", "-z", "--batch"], names.map((name) => `100644 blob ${blob}\t${name}\0\0`).join(""))
    .trim()
    .split("\n");
  const said = run(["fsck", "--strict", "--no-dangling", "--no-reflogs", ...trees], "");
  return new Set(names.filter((_, at) => new RegExp(`tree ${trees[at]}: (?:hasDot|hasDotdot|hasDotgit):`).test(said)));
}

test("no name that git refuses in a tree is joined to a folder, and sound names are", () => {
  expect([...refusedByGit(NAMES)]).toEqual(NAMES);
  for (const name of NAMES)
    for (const path of [name, `a/${name}`, `${name}/b`, `a/${name}/b`]) {
      expect([path, pathProblem(path)]).not.toEqual([path, undefined]);
      expect(() => below("/somewhere", path)).toThrow(expect.objectContaining({ code: "TREE_UNSAFE" }));
    }
  for (const name of SOUND) expect([name, pathProblem(`a/${name}/b`)]).toEqual([name, undefined]);
  expect(below("/somewhere", "a/b")).toBe("/somewhere/a/b");
  for (const path of ["", "/", "/etc/passwd", "a//b", "a\0b", "a\\..\\b", "a\\.git"])
    expect(() => below("/somewhere", path)).toThrow("Nothing is read");
});

test("random names: what git refuses is refused", () => {
  const letter = fc.constantFrom(".", "g", "G", "i", "I", "t", "T", "~", "1", " ", ":", "\u200c", "\ufeff", "x", "\\");
  const names = fc.sample(fc.string({ unit: letter, minLength: 1, maxLength: 8 }), { numRuns: 500, seed: 13 });
  const near = fc.sample(
    fc
      .tuple(fc.constantFrom(".git", "git~1", "..", "."), fc.string({ unit: letter, maxLength: 3 }))
      .map(([name, more]) => `${name}${more}`),
    { numRuns: 500, seed: 13 },
  );
  const all = [...new Set([...names, ...near])];
  const refused = refusedByGit(all);
  expect(refused.size).toBeGreaterThan(20);
  expect([...refused].filter((name) => pathProblem(name) === undefined)).toEqual([]);
});

test("what was found on disk may be in a repository of its own, but nowhere else", () => {
  expect(below("/slot", "nested/.git/config", "disk")).toBe("/slot/nested/.git/config");
  expect(() => below("/slot", "../x", "disk")).toThrow(expect.objectContaining({ code: "TREE_UNSAFE" }));
});
