import fc from "fast-check";
import { expect, test } from "vitest";
import { decidedHunks } from "../../../src/merge/decided-hunks.ts";
import { type Hunk, mergeLines, type Part } from "../../../src/merge/resolvers/align/three-way.ts";

const line = fc.constantFrom("aa\n", "bb\n", "cc\n", "}\n");
const lines = fc.array(line, { maxLength: 5 });
const hunk: Hunk = { base: [], ours: ["ours\n"], theirs: ["theirs\n"], at: { base: 0, ours: 0, theirs: 0 } };

/** Parts with one hunk or more, and lines decided for each. */
const decisions = fc.record({
  contexts: fc.array(lines, { minLength: 2, maxLength: 5 }),
  decided: fc.array(lines, { minLength: 4, maxLength: 4 }),
});

function partsOf(contexts: readonly (readonly string[])[]): Part[] {
  return contexts.flatMap((context, n): Part[] => [
    ...(n === 0 ? [] : [{ kind: "hunk", hunk } as const]),
    { kind: "lines", lines: context },
  ]);
}

const join = (contexts: readonly (readonly string[])[], decided: readonly (readonly string[])[]): string[] =>
  contexts.flatMap((context, n) => [...(n === 0 ? [] : (decided[n - 1] ?? [])), ...context]);

/** How often a result can be cut along the contexts, by trying all. */
function cuttings([context = [], ...rest]: readonly (readonly string[])[], result: readonly string[]): number {
  if (!context.every((one, n) => result[n] === one)) return 0;
  const behind = result.slice(context.length);
  if (rest.length === 0) return behind.length === 0 ? 1 : 0;
  return Array.from({ length: behind.length + 1 }, (_, at) => cuttings(rest, behind.slice(at))).reduce((sum, one) => sum + one, 0);
}

test("what is cut out, put back between the contexts, makes the result again; a result with two cuttings tells nothing", () => {
  let cut = 0;
  fc.assert(
    fc.property(decisions, ({ contexts, decided }) => {
      const result = join(contexts, decided);
      const found = decidedHunks(partsOf(contexts), result);
      const isTold = cuttings(contexts, result) === 1 && contexts.slice(1, -1).every((context) => context.some((one) => one !== "}\n"));
      expect(found).toHaveLength(isTold ? contexts.length - 1 : 0);
      if (isTold) expect(found.map((one) => one.lines)).toEqual(decided.slice(0, contexts.length - 1));
      if (isTold && contexts.length > 2) cut++;
    }),
    { numRuns: 3_000 },
  );
  expect(cut).toBeGreaterThan(200);
});

test("any result: what is cut out of it makes it again", () => {
  fc.assert(
    fc.property(fc.array(lines, { minLength: 2, maxLength: 4 }), fc.array(line, { maxLength: 12 }), (contexts, result) => {
      const found = decidedHunks(partsOf(contexts), result);
      if (found.length > 0)
        expect(
          join(
            contexts,
            found.map((one) => one.lines),
          ),
        ).toEqual(result);
    }),
    { numRuns: 2_000 },
  );
});

test("a decision that holds the line between two hunks tells nothing", () => {
  const file = (first: string, between: string, second: string): string[] => [
    "start\n",
    `${first}\n`,
    `${between}\n`,
    `${second}\n`,
    "end\n",
  ];
  const parts = (between: string): Part[] =>
    mergeLines(
      file("first old", between, "second old"),
      file("first aaa", between, "second aaa"),
      file("first bbb", between, "second bbb"),
    );
  const decided = (between: string): string[] => ["start\n", "first {\n", `${between}\n`, "tail\n", `${between}\n`, "second\n", "end\n"];
  expect(decidedHunks(parts("}"), decided("}"))).toEqual([]);
  expect(decidedHunks(parts("middle"), decided("middle"))).toEqual([]);
  // The bracket may be the decision's own as well: the one between the hunks is gone then.
  expect(decidedHunks(parts("}"), ["start\n", "first {\n", "}\n", "end\n"])).toEqual([]);
  const clear = decidedHunks(parts("middle"), ["start\n", "both\n", "more\n", "middle\n", "end\n"]);
  expect(clear.map((one) => one.lines)).toEqual([["both\n", "more\n"], []]);
});

test("a result that changed what was no conflict tells nothing", () => {
  const parts = mergeLines(["1\n", "2\n", "3\n"], ["1\n", "x\n", "3\n"], ["1\n", "y\n", "3\n"]);
  expect(decidedHunks(parts, ["1\n", "both\n", "3\n"]).map((one) => one.lines)).toEqual([["both\n"]]);
  expect(decidedHunks(parts, ["changed\n", "both\n", "3\n"])).toEqual([]);
  expect(decidedHunks(parts, ["1\n", "both\n", "changed\n"])).toEqual([]);
  expect(decidedHunks(parts, ["1\n", "both\n", "3\n", "more\n"])).toEqual([]);
  expect(decidedHunks(parts, ["1\n"])).toEqual([]);
});
