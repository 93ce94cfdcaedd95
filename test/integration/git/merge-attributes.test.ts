import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  mergePairs,
  mergeTrees,
  notBlended,
  openRepository,
  type Repository,
  withMergeAttributes,
  withQuarantine,
} from "../../../src/git/index.ts";
import { type Files, git, hermeticEnv, type TempRepo, tempFolder, tempRepo, writeFiles } from "../../fixtures/index.ts";

const LINES = Array.from({ length: 20 }, (_, n) => `${n}\n`);
const withLine = (n: number, text: string): string => LINES.map((line, at) => (at === n ? `${text}\n` : line)).join("");

/** Two branches, `x` and `y`, that change lines far apart in the files of these paths. */
async function lab(
  files: Files,
  paths: readonly string[],
  env: Record<string, string> = {},
): Promise<{ repo: TempRepo; repository: Repository }> {
  const all = (text: string): Files => Object.fromEntries(paths.map((path) => [path, text]));
  const repo = tempRepo({
    files: { ...files, ...all(LINES.join("")) },
    branches: { x: all(withLine(1, "x")), y: all(withLine(18, "y")) },
  });
  const repository = await openRepository(repo.dir, { parentEnv: { ...hermeticEnv(), ...env } });
  return { repo, repository: await withMergeAttributes(repository, repo.git("rev-parse", "main")) };
}

async function conflicted({ repo, repository }: { repo: TempRepo; repository: Repository }): Promise<string[]> {
  const [x = "", y = ""] = repo.git("rev-parse", "x", "y").split("\n");
  const merged = await mergeTrees(repository, x, y);
  const [pair] = await withQuarantine(repository, (inside) => mergePairs(inside, [[x, y]]));
  const paths = merged.clean ? [] : [...merged.paths];
  expect([...(pair?.paths ?? [])].sort()).toEqual(paths.sort());
  return paths;
}

describe("merges honour", () => {
  test.for<[attributes: string, isBlended: boolean]>([
    ["*.snap -merge", false],
    ["*.snap binary", false],
    ["*.snap merge=binary", false],
    ["*.snap merge=text", true],
    ["*.snap merge", true],
    ["*.snap merge=ours-driver", false],
    ["*.snap -text", true],
    ["*.snap -merge\npage.snap !merge", true],
    ["*.snap binary\npage.snap -binary", true],
    ["*.snap binary\npage.snap merge", true],
    ["*.snap merge binary", false],
    ["*.snap binary merge", true],
    ["[attr]kept -merge\n*.snap kept", false],
    ["[attr]kept inner\n[attr]inner merge=binary\n*.snap kept", false],
    ["[attr]binary -diff\n*.snap binary", true],
    ["[attr]binary -diff\n*.snap -merge", false],
    ["snap/ -merge\n!*.snap -merge", true],
    ["*.snap -merge no/such", true],
    ['"page.sn\\141p" -merge', false],
  ])("%j", async ([attributes, isBlended]) => {
    const made = await lab({ ".gitattributes": `${attributes}\n` }, ["page.snap"]);
    expect(await conflicted(made)).toEqual(isBlended ? [] : ["page.snap"]);
  });

  test("the files of nested folders, the deeper one first", async () => {
    const made = await lab(
      {
        ".gitattributes": "*.snap -merge\n",
        "a/.gitattributes": "/one.snap merge\n",
        "a/[b]/.gitattributes": "*.snap merge\n/deep/**/y.snap -merge\n[attr]unread -merge\nz.snap unread\n",
      },
      ["one.snap", "a/one.snap", "a/sub/one.snap", "a/[b]/c/x.snap", "a/b/c/x.snap", "a/[b]/deep/y.snap", "a/[b]/y.snap", "a/[b]/z.snap"],
    );
    expect((await conflicted(made)).sort()).toEqual(["a/[b]/deep/y.snap", "a/b/c/x.snap", "a/sub/one.snap", "one.snap"]);
  });

  test("union: both sides' lines are kept by git", async () => {
    const repo = tempRepo({
      files: { ".gitattributes": "log merge=union\n", log: "0\n" },
      branches: { x: { log: "0\nx\n" }, y: { log: "0\ny\n" } },
    });
    const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
    const [main = "", x = "", y = ""] = repo.git("rev-parse", "main", "x", "y").split("\n");
    expect(await mergeTrees(repository, x, y)).toMatchObject({ clean: false });
    const merged = await mergeTrees(await withMergeAttributes(repository, main), x, y);
    expect([merged.clean, repo.git("show", `${merged.tree}:log`)]).toEqual([true, "0\nx\ny"]);
  });

  test("no attributes but those of the commit: neither a branch's, nor a user's own, nor those of the checkout", async () => {
    const home = tempFolder("home");
    mkdirSync(join(home, ".config/git"), { recursive: true });
    writeFileSync(join(home, ".config/git/attributes"), "* -merge\n");
    const made = await lab({}, ["a"], { HOME: home, XDG_CONFIG_HOME: join(home, ".config") });
    writeFileSync(join(made.repo.dir, ".gitattributes"), "* -merge\n");
    made.repo.git("switch", "-q", "x");
    made.repo.commit({ ".gitattributes": "* -merge\n" });
    expect(made.repository.mergeAttributes).toBeUndefined();
    expect(await conflicted(made)).toEqual([]);
  });
});

test("no driver of the project runs, whatever is configured", async () => {
  const ran = join(tempFolder("driver"), "ran");
  const program = join(tempFolder("driver"), "program");
  writeFileSync(program, `#!/bin/sh\ntouch ${ran}\n`);
  chmodSync(program, 0o755);
  const made = await lab({ ".gitattributes": "a merge=mine\nb merge=union\nc merge=set\nd merge=text\n" }, ["a", "b", "c", "d"]);
  for (const name of ["mine", "union", "set", "text", "binary"]) made.repo.git("config", `merge.${name}.driver`, program);
  made.repo.git("config", "merge.default", "mine");
  expect(await conflicted(made)).toEqual(["a", "c"]);
  expect(existsSync(ran)).toBe(false);
  expect([...(await notBlended(made.repository, ["a", "b", "c", "d"]))]).toEqual([
    ["a", { kind: "driver", name: "mine" }],
    ["c", { kind: "driver", name: "set" }],
  ]);
});

test("the attributes of a commit are one file, whoever asks, and a quarantine keeps them", async () => {
  const { repo, repository } = await lab({ ".gitattributes": "a -merge\n" }, ["a"]);
  const again = await withMergeAttributes(repository, repo.git("rev-parse", "x"));
  expect(again.mergeAttributes?.file).toBe(repository.mergeAttributes?.file);
  await withQuarantine(repository, async (inside) => expect(inside.mergeAttributes).toEqual(repository.mergeAttributes));
});

test("an attributes file that somebody changed or removed is refused, and written again by the next command", async () => {
  const made = await lab({ ".gitattributes": "a -merge\n" }, ["a"]);
  const { file, commit } = made.repository.mergeAttributes ?? expect.unreachable();
  for (const damage of [() => writeFileSync(file, ""), () => rmSync(file)]) {
    damage();
    await expect(conflicted(made)).rejects.toMatchObject({ code: "STATE_DAMAGED" });
    await expect(notBlended(made.repository, ["a"])).rejects.toMatchObject({ code: "STATE_DAMAGED" });
    expect(await conflicted({ ...made, repository: await withMergeAttributes(made.repository, commit) })).toEqual(["a"]);
  }
});

test("what git says about any path by nested files, it says by the translation", async () => {
  const name = fc.constantFrom("a", "b", "x.y", "[c]", "d e");
  const piece = fc.constantFrom("a", "b", "*", "**", "?", "x.y", "*.y", "\\[c\\]", "[ab]", "[!a]", "\\a");
  const pattern = fc
    .tuple(fc.constantFrom("", "/", "!"), fc.array(piece, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "", "", "/"))
    .map(([start, pieces, end]) => `${start}${pieces.join("/")}${end}`);
  const quoted = fc.constantFrom('"d e"', '"\\141"', '"d e/*"', '"a', '"\\9"');
  const state = fc.constantFrom(
    "merge",
    "-merge",
    "!merge",
    "merge=union",
    "merge=mine",
    "merge=binary",
    "binary",
    "-binary",
    "!binary",
    "mac",
    "text",
    "-diff",
  );
  const states = fc.array(state, { minLength: 1, maxLength: 3 }).map((all) => all.join(" "));
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.oneof(pattern, quoted), states).map((parts) => parts.join(" ")) },
    { weight: 1, arbitrary: states.map((all) => `[attr]mac ${all}`) },
    { weight: 1, arbitrary: fc.constantFrom("# a -merge", "", "a -merge bad/name", "[attr]binary -diff", "  a\t-merge\r") },
  );
  const file = fc.array(line, { minLength: 1, maxLength: 5 }).map((lines) => `${lines.join("\n")}\n`);
  const folders = fc.uniqueArray(
    fc.tuple(fc.array(name, { maxLength: 2 }), file).map(([parts, text]) => [parts.join("/"), text] as const),
    { minLength: 1, maxLength: 3, selector: ([folder]) => folder },
  );
  const names = ["a", "b", "x.y", "[c]", "d e"];
  const paths = names.flatMap((one) => [
    one,
    ...names.flatMap((two) => [`${one}/${two}`, ...names.map((three) => `${one}/${two}/${three}`)]),
  ]);
  await fc.assert(
    fc.asyncProperty(folders, async (all) => {
      const repo = tempRepo({ files: { README: "r\n" } });
      writeFiles(repo.dir, Object.fromEntries(all.map(([folder, text]) => [join(folder, ".gitattributes"), text])));
      git(repo.dir, "add", "--all");
      git(repo.dir, "commit", "-qm", "attributes");
      const bare = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
      const repository = await withMergeAttributes(bare, repo.git("rev-parse", "HEAD"));
      const found = await notBlended(repository, paths);
      const wanted = git(repo.dir, "check-attr", "merge", "--", ...paths)
        .split("\n")
        .map((said) => said.split(": merge: ")[1] ?? "");
      const shown = (path: string): string => {
        const one = found.get(path);
        return one === undefined ? "blended" : one.kind === "binary" ? "binary" : one.name;
      };
      expect(Object.fromEntries(paths.map((path) => [path, shown(path)]))).toEqual(
        Object.fromEntries(
          paths.map((path, n) => {
            const value = wanted[n] ?? "";
            if (value === "unset") return [path, "binary"];
            return [path, ["set", "unspecified", "union", "text"].includes(value) ? "blended" : value];
          }),
        ),
      );
    }),
    { numRuns: 20 },
  );
});
