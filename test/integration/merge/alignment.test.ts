import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { splitLines } from "../../../src/merge/resolvers/align/text-lines.ts";
import { mergeLines } from "../../../src/merge/resolvers/align/three-way.ts";
import { type Files, git, hermeticEnv, tempRepo } from "../../fixtures/index.ts";

const FILES = 300;

/** Files of few different lines, so that there is much to slide and to confuse, and of lines that repeat all over. */
const text = fc.array(fc.constantFrom("a\n", "b\n", "c\n", "}\n", "\n", "d\n", "e\n", "f\n", "g\n"), { maxLength: 40 });
const sides = fc
  .tuple(
    text,
    fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.nat(3), fc.array(fc.constantFrom("a\n", "x\n", "y\n", "}\n", "\n"), { maxLength: 3 })), {
      maxLength: 6,
    }),
    fc.boolean(),
  )
  .map(([base, edits, unended]) => {
    const both: { ours: string[]; theirs: string[] } = { ours: [...base], theirs: [...base] };
    for (const [isOurs, at, remove, add] of edits) {
      const side = isOurs ? both.ours : both.theirs;
      side.splice(at % (side.length + 1), remove, ...add);
    }
    const ended = (lines: string[]): string => (unended ? lines.join("").replace(/\n$/, "") : lines.join(""));
    return { base: base.join(""), ours: ended(both.ours), theirs: both.theirs.join("") };
  });

test("hunks are cut where git's own merge cuts them, and what is between them is the same", () => {
  const cases = fc.sample(sides, { numRuns: FILES, seed: 7 });
  const files = (side: "base" | "ours" | "theirs"): Files => Object.fromEntries(cases.map((one, n) => [`${n}.txt`, one[side]]));
  const repo = tempRepo({ files: files("base"), branches: { ours: files("ours"), theirs: files("theirs") } });
  const tree = treeOf(repo.dir);
  const wrong = cases.filter((one, n) => {
    const gits = git(repo.dir, "cat-file", "blob", `${tree}:${n}.txt`);
    return marked(one.base, one.ours, one.theirs).replace(/\n$/, "") !== gits.replace(/^(<{7}|\|{7}|>{7}).*$/gm, "$1");
  });
  expect(wrong).toEqual([]);
});

function treeOf(dir: string): string {
  const merge = ["-c", "merge.conflictStyle=diff3", "merge-tree", "--write-tree", "--no-messages", "ours", "theirs"];
  // With conflicts it ends with 1 and says the tree all the same.
  const { stdout } = spawnSync("git", merge, { cwd: dir, encoding: "utf8", env: hermeticEnv() });
  return /^[0-9a-f]{40}/.exec(stdout)?.[0] ?? expect.unreachable("no tree");
}

function marked(base: string, ours: string, theirs: string): string {
  const ended = (lines: readonly string[]): string => lines.join("").replace(/(?<=[^\n])$/, "\n");
  return mergeLines(splitLines(base), splitLines(ours), splitLines(theirs))
    .map((part) =>
      part.kind === "lines"
        ? part.lines.join("")
        : `<<<<<<<\n${ended(part.hunk.ours)}|||||||\n${ended(part.hunk.base)}=======\n${ended(part.hunk.theirs)}>>>>>>>\n`,
    )
    .join("");
}
