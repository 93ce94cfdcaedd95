import fc from "fast-check";
import { expect, test } from "vitest";
import { decidedHunks } from "../../../src/merge/resolution-memory.ts";
import { mergeLines } from "../../../src/merge/resolvers/align/three-way.ts";

const line = fc.constantFrom("a\n", "b\n", "c\n", "d\n", "e\n");
const lines = fc.array(line, { maxLength: 8 });

test("the decisions read from a result make that result again", () => {
  fc.assert(
    fc.property(lines, lines, lines, fc.array(lines, { minLength: 8, maxLength: 8 }), (base, ours, theirs, decisions) => {
      const parts = mergeLines(base, ours, theirs);
      let n = 0;
      const result = parts.flatMap((part) => (part.kind === "lines" ? part.lines : (decisions[n++ % decisions.length] ?? [])));
      const decided = decidedHunks(parts, result);
      // Where the same lines stand more than once it may be nothing at all.
      if (decided.length === 0) return;
      const hunks = parts.filter((part) => part.kind === "hunk");
      expect(decided.map(({ hunk }) => hunk)).toEqual(hunks.map(({ hunk }) => hunk));
      let next = 0;
      expect(parts.flatMap((part) => (part.kind === "lines" ? part.lines : (decided[next++]?.lines ?? [])))).toEqual(result);
    }),
    { numRuns: 500 },
  );
});

test("a result that changed what was no conflict tells nothing", () => {
  const parts = mergeLines(["1\n", "2\n", "3\n"], ["1\n", "x\n", "3\n"], ["1\n", "y\n", "3\n"]);
  expect(decidedHunks(parts, ["1\n", "both\n", "3\n"]).map(({ lines: decided }) => decided)).toEqual([["both\n"]]);
  expect(decidedHunks(parts, ["changed\n", "both\n", "3\n"])).toEqual([]);
  expect(decidedHunks(parts, ["1\n", "both\n", "changed\n"])).toEqual([]);
  expect(decidedHunks(parts, ["1\n", "both\n", "3\n", "more\n"])).toEqual([]);
});
