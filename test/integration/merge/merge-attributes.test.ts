import { describe, expect, test } from "vitest";
import { type Repository, withMergeAttributes, withQuarantine } from "../../../src/git/index.ts";
import { predictConflicts } from "../../../src/merge/predict.ts";
import { mergeOnto, type Resolving } from "../../../src/merge/resolve-conflicts.ts";
import { type Files, projectWith } from "../../fixtures/index.ts";
import { bench } from "./bench.ts";

const version = (text: string): string => `{\n  "name": "p",\n  "version": "${text}"\n}\n`;
const RULED: Record<"base" | "x" | "y", Files> = {
  base: { "package.json": version("1.0.0") },
  x: { "package.json": version("1.1.0") },
  y: { "package.json": version("1.2.0") },
};

/** Merges `y` into `x` under the attributes of `main`. */
async function merged(attributes: string, { base, x, y }: typeof RULED, resolving: Resolving = { level: "assist", union: ["*.md"] }) {
  const { repo, context, candidate } = await bench({ x, y }, undefined, { ...base, ".gitattributes": attributes });
  const repository = await withMergeAttributes(context.repository, repo.git("rev-parse", "main"));
  return { repo, repository, merge: await mergeOnto(repository, candidate("x").commit, candidate("y").commit, resolving) };
}

describe("resolvers", () => {
  test("blend a file that no attribute protects", async () => {
    expect((await merged("* text=auto\n", RULED)).merge).toMatchObject({ kind: "merged", resolved: [{ rules: ["versions"] }] });
  });

  test.for([
    ["*.json -merge", "`.gitattributes` forbids to blend it"],
    ["*.json binary", "`.gitattributes` forbids to blend it"],
    ["*.json merge=npm-merge", "`.gitattributes` has the driver `npm-merge` merge it, and graftwork runs no driver"],
  ] as const)("leave a file under `%s`, and say why", async ([attributes, why], { expect }) => {
    const { merge } = await merged(`${attributes}\n`, RULED);
    expect(merge).toEqual({
      kind: "conflict",
      paths: ["package.json"],
      left: [{ path: "package.json", why, solved: [], hunksLeft: 0 }],
    });
    const off = await merged(`${attributes}\n`, RULED, { level: "off", union: [] });
    expect(off.merge).toMatchObject({ left: [{ why }] });
  });

  test("keep both sides of no file that `.gitattributes` forbids to blend, also if `merge.union` lists it", async () => {
    const sides = { base: { "a.md": "0\n" }, x: { "a.md": "0\nx\n" }, y: { "a.md": "0\ny\n" } };
    expect((await merged("", sides)).merge.kind).toBe("merged");
    expect((await merged("*.md -merge\n", sides)).merge.kind).toBe("conflict");
  });

  test("make a file anew all the same: a lockfile, a generated file", async () => {
    const generated = { commands: { "gen/*": "cat package.json | wc -c > gen/size" }, env: [], setEnv: {}, allowScripts: [] };
    const sides = {
      base: { ...projectWith("a"), "gen/size": "1\n" },
      x: { ...projectWith("a", "b"), "gen/size": "2\n" },
      y: { ...projectWith("a", "c"), "gen/size": "3\n" },
    };
    const { merge } = await merged("package-lock.json -merge\ngen/* merge=ours-driver\n", sides, { level: "safe", union: [], generated });
    expect(merge).toMatchObject({ kind: "merged" });
    expect(merge.kind === "merged" && merge.resolved.map(({ path }) => path).sort()).toEqual([
      "gen/size",
      "package-lock.json",
      "package.json",
    ]);
  });
});

test("a prediction does not answer from pairs that were merged under other attributes", async () => {
  const seq = (change: Record<number, string>): string => Array.from({ length: 20 }, (_, n) => `${change[n] ?? n}\n`).join("");
  const { repo, context, candidate } = await bench({ x: { f: seq({ 1: "x" }) }, y: { f: seq({ 18: "y" }) } }, undefined, { f: seq({}) });
  const protectedBy = repo.commit({ ".gitattributes": "f -merge\n" });
  const tips = ["x", "y"].map((task) => ({ name: task, commit: candidate(task).commit }));
  const conflicts = (repository: Repository): Promise<readonly (readonly [string, string])[]> =>
    withQuarantine(repository, async (inside) =>
      (await predictConflicts(inside, { name: "main", commit: protectedBy }, tips)).conflicts.map(({ between }) => between),
    );
  expect(await conflicts(context.repository)).toEqual([]);
  const strict = await withMergeAttributes(context.repository, protectedBy);
  expect(await conflicts(strict)).toEqual([["x", "y"]]);
  expect(await conflicts(context.repository)).toEqual([]);
  expect(await conflicts(strict)).toEqual([["x", "y"]]);
});
