import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openRepository, type Repository, updateRefs, withQuarantine } from "../../../src/git/index.ts";
import { predictConflicts } from "../../../src/merge/predict.ts";
import { commitFiles, hermeticEnv, type RepoOptions, type TempRepo, tempFolder, tempRepo } from "../../fixtures/index.ts";

type Lab = { repo: TempRepo; repository: Repository; predict: typeof predict };

async function lab(options: RepoOptions, env: Record<string, string> = {}): Promise<Lab> {
  const repo = tempRepo(options);
  return { repo, repository: await openRepository(repo.dir, { parentEnv: { ...hermeticEnv(), ...env } }), predict };
}

/** The predicted conflicts as `one+other: paths`. */
function predict({ repo, repository }: Pick<Lab, "repo" | "repository">, names: readonly string[], everyPair = false): Promise<string[]> {
  const commits = repo.git("rev-parse", "main", ...names).split("\n");
  const [target = { name: "", commit: "" }, ...tips] = ["main", ...names].map((name, index) => ({ name, commit: commits[index] ?? "" }));
  return withQuarantine(repository, async (inside) => {
    const { conflicts } = await predictConflicts(inside, target, tips, { everyPair });
    return conflicts.map(({ between, paths }) => `${between.join("+")}: ${paths.join(" ")}`);
  });
}

const objectsOf = (repo: TempRepo): string => repo.git("count-objects", "-v");

describe("a prediction", () => {
  test("names the pairs that would conflict and their paths; what only stands side by side is none", async () => {
    const made = await lab({
      files: { "a.txt": "1\n2\n3\n", "b.txt": "b\n" },
      branches: {
        x: { "a.txt": "1\nX\n3\n" },
        y: { "a.txt": "1\nY\n3\n", "new.txt": "y\n" },
        z: { "b.txt": "z\n" },
        w: { "new.txt": "w\n" },
      },
    });
    expect(await predict(made, ["x", "y", "z", "w"])).toEqual(["x+y: a.txt", "y+w: new.txt"]);
  });

  test("counts the target as one of the sides", async () => {
    const made = await lab({ files: { "a.txt": "1\n" }, branches: { x: { "a.txt": "x\n" } } });
    made.repo.commit({ "a.txt": "main\n" });
    expect(await predict(made, ["x"])).toEqual(["main+x: a.txt"]);
  });

  test("adds nothing to the repository, moves no ref and leaves no folder", async () => {
    const made = await lab({
      files: { "a.txt": "1\n2\n3\n4\n5\n" },
      branches: { x: { "a.txt": "X\n2\n3\n4\n5\n" }, y: { "a.txt": "1\n2\n3\n4\nY\n" } },
    });
    const [objects, refs] = [objectsOf(made.repo), made.repo.git("for-each-ref")];
    expect(await predict(made, ["x", "y"], true)).toEqual([]);
    expect([objectsOf(made.repo), made.repo.git("for-each-ref")]).toEqual([objects, refs]);
    const refused = await withQuarantine(made.repository, (inside) =>
      updateRefs(inside, [{ ref: "refs/heads/new", set: made.repo.git("rev-parse", "x") }], "never"),
    );
    expect(refused).toContain("quarantine");
  });

  test("works where the repository's path has a colon, a quote and a backslash", async () => {
    const made = await lab({ name: 'a:b"c\\d', files: { "a.txt": "1\n" }, branches: { x: { "a.txt": "x\n" }, y: { "a.txt": "y\n" } } });
    expect(await predict(made, ["x", "y"])).toEqual(["x+y: a.txt"]);
  });

  test("sees a file added to a folder that the other side renamed, and a file in a folder's place", async () => {
    const made = await lab({
      files: { "dir/a": "a\n", "dir/b": "b\n", "dir/c": "c\n" },
      branches: {
        renames: { dir: null, "moved/a": "a\n", "moved/b": "b\n", "moved/c": "c\n" },
        adds: { "dir/new": "n\n" },
        file: { thing: "t\n" },
        folder: { "thing/deep/file": "t\n" },
      },
    });
    const found = await predict(made, ["renames", "adds", "file", "folder"]);
    expect(found).toEqual(await predict(made, ["renames", "adds", "file", "folder"], true));
    expect(found.map((line) => line.split(":")[0])).toEqual(["renames+adds", "file+folder"]);
  });

  test("goes by each pair's own merge base, crossed and unrelated histories included", async () => {
    const made = await lab({ files: { "a.txt": "1\n2\n3\n" }, branches: { old: { "a.txt": "1\nO\n3\n" } } });
    const { repo } = made;
    repo.commit({ "a.txt": "1\n2\nmain\n" });
    repo.git("branch", "late");
    repo.git("switch", "-q", "late");
    commitFiles(repo.dir, { "b.txt": "late\n" });
    repo.git("switch", "-q", "-c", "stacked", "old");
    commitFiles(repo.dir, { "c.txt": "s\n" });
    for (const [name, one, other] of [
      ["cross", "old", "stacked"],
      ["criss", "stacked", "old"],
    ] as const) {
      repo.git("switch", "-q", "-c", name, one);
      commitFiles(repo.dir, { [`${name}.txt`]: "1\n" });
      repo.git("merge", "-q", "--no-edit", other);
    }
    repo.git("switch", "-q", "--orphan", "alien");
    commitFiles(repo.dir, { "a.txt": "alien\n" });
    repo.git("switch", "-q", "main");
    const names = ["old", "late", "stacked", "cross", "criss"];
    expect(await predict(made, names)).toEqual(await predict(made, names, true));
    const withAlien = await predict(made, [...names, "alien"]);
    expect(withAlien).toContain("late+alien: a.txt");
    expect(withAlien).toEqual(await predict(made, [...names, "alien"], true));
  });

  test("merges a pair once: only what a moved branch is part of is merged again; a damaged memory is forgotten", async () => {
    const made = await lab({
      files: { "a.txt": "1\n" },
      branches: { x: { "a.txt": "x\n" }, y: { "a.txt": "y\n" }, z: { "z.txt": "z\n" } },
    });
    const called: string[] = [];
    const watched = { ...made, repository: { ...made.repository, onCommand: (argv: readonly string[]) => called.push(argv.join(" ")) } };
    const merging = (): number => called.splice(0).filter((line) => line.includes("merge-tree")).length;
    const names = ["x", "y", "z"];
    expect([await predict(watched, names), merging()]).toEqual([["x+y: a.txt"], 1]);
    expect([await predict(watched, names), merging()]).toEqual([["x+y: a.txt"], 0]);
    made.repo.git("branch", "-f", "y", "main");
    expect([await predict(watched, names), merging()]).toEqual([[], 0]);
    made.repo.git("branch", "-f", "y", "x");
    made.repo.git("switch", "-q", "y");
    commitFiles(made.repo.dir, { "a.txt": "main\n", "z.txt": "y\n" });
    made.repo.git("switch", "-q", "main");
    expect([await predict(watched, names), merging()]).toEqual([["y+z: z.txt"], 1]);
    writeFileSync(made.repository.layout.predictions, '{"schema":1,"merges":{"a b":7}}');
    expect([await predict(watched, names), merging()]).toEqual([["y+z: z.txt"], 1]);
  });

  test("a git without --stdin (2.38) is asked pair by pair", async () => {
    const folder = tempFolder("old-git");
    const options = { files: { "a.txt": "1\n" }, branches: { x: { "a.txt": "x\n" }, y: { "a.txt": "y\n" } } };
    const real = tempRepo().git("--exec-path");
    const old = `#!/bin/sh\nfor word; do case "$word" in merge-tree) merging=1 ;; --stdin) [ -n "$merging" ] && exit 129 ;; esac; done\nexec ${real}/git "$@"\n`;
    writeFileSync(join(folder, "git"), old);
    chmodSync(join(folder, "git"), 0o755);
    const made = await lab(options, { PATH: `${folder}:${hermeticEnv()["PATH"] ?? ""}` });
    expect(await predict(made, ["x", "y"])).toEqual(["x+y: a.txt"]);
  });
});

const name = fc.constantFrom("new", "other", "x", "y");

/** One step of a branch; numbers choose among the paths that are there. */
const step = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("edit" as const), file: fc.nat(30), line: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), file: fc.nat(30) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("add" as const), folder: fc.nat(6), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move" as const), file: fc.nat(30), folder: fc.nat(6), name }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("rename" as const), folder: fc.nat(6), to: fc.constantFrom("p", "x", "q/p", "a/p", "q") }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), folder: fc.nat(6) }) },
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** The files of a branch after its steps; nothing is in the place of something else. */
function after(files: ReadonlyMap<string, string>, steps: readonly Step[]): Map<string, string> {
  const now = new Map(files);
  const pick = (n: number): string | undefined => [...now.keys()].sort()[n % Math.max(1, now.size)];
  const folder = (n: number): string => {
    const all = [
      ...new Set(
        [...now.keys()].flatMap((path) =>
          path
            .split("/")
            .slice(0, -1)
            .map((_, at, parts) => parts.slice(0, at + 1).join("/")),
        ),
      ),
    ].sort();
    return all[n % Math.max(1, all.length)] ?? "p";
  };
  const put = (path: string, text: string): void => {
    for (const other of now.keys()) if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) now.delete(other);
    now.set(path, text);
  };
  for (const one of steps) {
    if (one.do === "add") put(`${folder(one.folder)}/${one.name}`, `${one.name} ${one.folder}\n`);
    else if (one.do === "rename" || one.do === "drop") {
      const from = folder(one.folder);
      const moved = [...now].filter(([path]) => path.startsWith(`${from}/`));
      for (const [path] of moved) now.delete(path);
      if (one.do === "rename") for (const [path, text] of moved) put(`${one.to}${path.slice(from.length)}`, text);
    } else {
      const path = pick(one.file);
      const text = path === undefined ? undefined : now.get(path);
      if (path === undefined || text === undefined) continue;
      if (one.do === "edit")
        now.set(
          path,
          text
            .split("\n")
            .map((line, at) => (at === one.line ? `${line} changed ${one.file}` : line))
            .join("\n"),
        );
      else now.delete(path);
      if (one.do === "move") put(`${folder(one.folder)}/${one.name}`, text);
    }
  }
  return now;
}

test("pruning changes no answer, whatever branches edit, add, delete and rename, folders included", async () => {
  const body = (name: string): string => Array.from({ length: 8 }, (_, line) => `${name} line ${line}`).join("\n");
  const paths = ["a/one", "a/two", "a/b/three", "a/b/four", "c/five", "c/six", "c/d/e/seven", "top", "x/eight", "x/nine"];
  const start = new Map(["README.md", ...paths].map((path) => [path, body(path)]));
  const { repo, repository } = await lab({ files: Object.fromEntries(start) });
  const branch = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 2 }), onto: fc.boolean() });
  let [pairs, conflicts] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(branch, { minLength: 8, maxLength: 13 }), async (branches) => {
      const names = branches.map((_, index) => `b${index}`);
      const trees: ReadonlyMap<string, string>[] = [];
      for (const [index, { steps, onto }] of branches.entries()) trees.push(after((onto ? trees[index - 1] : undefined) ?? start, steps));
      // One git for all of them; a branch goes on from the one before it, or from main.
      const commits = trees.map((files, index) =>
        commitText(`b${index}`, branches[index]?.onto && index > 0 ? `b${index - 1}` : "main", files),
      );
      execFileSync("git", ["fast-import", "--quiet", "--force"], { cwd: repo.dir, input: commits.join("") });
      const pruned = await predict({ repo, repository }, names);
      pairs += (names.length * (names.length + 1)) / 2;
      conflicts += pruned.length;
      expect(pruned).toEqual(await predict({ repo, repository }, names, true));
    }),
    { numRuns: 20 },
  );
  expect(pairs).toBeGreaterThan(1_000 / 2);
  expect(conflicts).toBeGreaterThan(0);
});

/** A commit as `git fast-import` reads it. */
function commitText(branch: string, from: string, files: ReadonlyMap<string, string>): string {
  const blobs = [...files].map(([path, text]) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`);
  return `reset refs/heads/${branch}\ncommit refs/heads/${branch}\ncommitter t <t@example.invalid> 1700000000 +0000\ndata 0\nfrom refs/heads/${from}\ndeleteall\n${blobs.join("")}\n`;
}
