import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { forgetResolutions, rememberResolutions } from "../../../src/merge/index.ts";
import { mergeOnto } from "../../../src/merge/resolve-conflicts.ts";
import { readTrusted, writeTrusted } from "../../../src/state/index.ts";
import type { Files } from "../../fixtures/index.ts";
import { bench } from "./bench.ts";

const FILES = { "a.txt": "1\ntwo\n3\n" };
const DECIDED = "1\ntwo of both\n3\n";

/** `y` merges `x` by hand and decides `decided`; `z` is the collision of `y` once more. */
async function learned(
  decided: Files = { "a.txt": DECIDED },
  files: Files = FILES,
  x: Files = { "a.txt": "1\ntwo of x\n3\n" },
  y: Files = { "a.txt": "1\ntwo of y\n3\n" },
) {
  const { repo, context, candidate } = await bench({ x, y, z: { ...y, "z.txt": "z\n" } }, undefined, files);
  repo.git("switch", "-q", "auto/y");
  expect(() => repo.git("merge", "-q", "auto/x")).toThrow();
  repo.commit(decided);
  repo.git("switch", "-q", "main");
  const { repository } = context;
  const [main = "", tip = ""] = repo.git("rev-parse", "main", "auto/y").split("\n");
  const folder = join(repository.layout.trusted, "resolutions");
  return {
    repo,
    repository,
    learn: (landing = tip, commit = repo.git("rev-parse", "auto/y")) => rememberResolutions(repository, main, commit, landing),
    kept: () => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
    /** What comes of merging `one` and `other`. */
    merge: async (one = "z", other = "x") => {
      const merged = await mergeOnto(repository, candidate(one).commit, candidate(other).commit, { level: "safe", union: [] });
      return merged.kind === "conflict"
        ? merged.left.map(({ why }) => why)
        : {
            ...Object.fromEntries(merged.resolved.map(({ path, rules }) => [path, rules])),
            text: repo.git("show", `${merged.tree}:a.txt`),
          };
    },
  };
}

const NOT_KNOWN = ["a conflict has no rule that fits"];

test("the same collision is resolved as it was in work that landed, whichever side comes first", async () => {
  const { merge, learn } = await learned();
  expect(await merge()).toEqual(NOT_KNOWN);
  await learn();
  expect(await merge("z", "x")).toEqual({ "a.txt": ["remembered"], text: DECIDED.trim() });
  expect(await merge("x", "z")).toEqual({ "a.txt": ["remembered"], text: DECIDED.trim() });
});

test("a landing that is taken back is forgotten, and only that one", async () => {
  const { merge, learn, repository } = await learned();
  const [one, other] = ["1".repeat(40), "2".repeat(40)];
  forgetResolutions(repository, [one]);
  await learn(one);
  forgetResolutions(repository, [other]);
  expect(await merge()).toMatchObject({ "a.txt": ["remembered"] });
  forgetResolutions(repository, [other, one]);
  expect(await merge()).toEqual(NOT_KNOWN);
});

test("an entry that names no landing is not known, nor is one that cannot be read", async () => {
  const { merge, learn, kept, repository } = await learned();
  await learn();
  const [file = ""] = kept();
  const { trusted } = repository.layout;
  const fact = readTrusted(trusted, relative(trusted, file));
  const { path, lines } = JSON.parse(fact.kind === "found" ? fact.text : "") as { path: string; lines: string[] };
  writeTrusted(trusted, relative(trusted, file), JSON.stringify({ path, lines }));
  expect(await merge()).toEqual(NOT_KNOWN);
  // What an agent writes there has no seal.
  for (const text of [fact.kind === "found" ? fact.text : "", "{", ""]) {
    writeFileSync(file, text);
    expect(await merge()).toEqual(NOT_KNOWN);
    forgetResolutions(repository, ["1".repeat(40)]);
  }
});

test("nothing is remembered of a file whose decision can be cut out in two ways", async () => {
  const file = (first: string, second: string): Files => ({ "a.txt": `start\n${first}\n}\n${second}\nend\n` });
  const { learn, kept } = await learned(
    file("first block {\n}\nfirst tail: both", "second both"),
    file("first old", "second old"),
    file("first aaa", "second aaa"),
    file("first bbb", "second bbb"),
  );
  await learn();
  expect(kept()).toEqual([]);
});

test("nothing is remembered of two places that collided alike and were decided differently", async () => {
  const file = (first: string, second: string): Files => ({ "a.txt": `${first}\nin between\n${second}\n` });
  const { learn, kept } = await learned(file("one way", "another way"), file("old", "old"), file("of x", "of x"), file("of y", "of y"));
  await learn();
  expect(kept()).toEqual([]);
});

test("what later commits of the work changed is not remembered", async () => {
  const { repo, learn, kept } = await learned();
  repo.git("switch", "-q", "auto/y");
  repo.commit({ "a.txt": "1\ntwo, after a second thought\n3\n" });
  await learn();
  expect(kept()).toEqual([]);
});

test("a remembered resolution that fails the proof where it stands now is not taken", async () => {
  const file = (line: string, more = ""): Files => ({ "a.ts": `${more}// start\n${line}\n// end\n`, "a.txt": "" });
  const { repo, learn, merge } = await learned(
    file("export const both = 1;"),
    file("export const old = 1;"),
    file("export const ofX = 1;"),
    file("export const ofY = 1;"),
  );
  await learn();
  expect(await merge()).toMatchObject({ "a.ts": ["remembered"] });
  repo.git("switch", "-q", "auto/z");
  repo.commit(file("export const ofY = 1;", "export const both = 2;\n"));
  expect(await merge()).toEqual([expect.stringContaining("the result fails its proof: ")]);
});
