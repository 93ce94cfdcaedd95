import { describe, expect, test } from "vitest";
import { basesIn } from "../../../src/git/merge-bases.ts";
import { parseMergeRecords } from "../../../src/git/merge-pairs.ts";

const oid = (letter: string): string => letter.repeat(40);
const stage = (n: number, path: string): string => `100644 ${oid("b")} ${n}\t${path}`;

describe("records of git merge-tree --stdin", () => {
  test("are read one by one, each path once, whatever is in its name", () => {
    const fields = ["0", oid("a"), stage(1, "a\tb\n"), stage(2, "a\tb\n"), stage(3, "c"), "", "1", oid("a"), "", "0", oid("a"), ""];
    expect(parseMergeRecords(fields)).toEqual([
      { clean: false, paths: ["a\tb\n", "c"] },
      { clean: true, paths: [] },
      { clean: false, paths: [] },
    ]);
    expect(parseMergeRecords([])).toEqual([]);
  });

  test.for([
    [["1", oid("a")]],
    [["2", oid("a"), ""]],
    [["1", "HEAD", ""]],
    [["1", oid("a"), stage(1, "x"), ""]],
    [["0", oid("a"), "Failed to merge submodule x", ""]],
    [["0", oid("a"), stage(4, "x"), ""]],
    [["0", oid("a"), stage(2, ""), ""]],
  ])("of another form are refused: %j", ([fields], { expect }) => {
    expect(parseMergeRecords(fields ?? [])).toBeUndefined();
  });
});

describe("merge bases", () => {
  //    r ── a ── b ── left          x, y: each merged the other's parent
  //          └── c ── right
  const history = new Map([
    ["left", ["b"]],
    ["b", ["a"]],
    ["right", ["c"]],
    ["c", ["a"]],
    ["a", ["r"]],
    ["x", ["b", "c"]],
    ["y", ["c", "b"]],
  ]);
  const bases = basesIn(history);

  test.for([
    ["left", "right", "a"],
    ["left", "b", "b"],
    ["left", "left", "left"],
    ["left", "r", "r"],
    ["x", "left", "b"],
    ["x", "y", "b,c"],
    ["left", "stranger", ""],
  ] as const)("of %s and %s: %s", ([one, other, expected], { expect }) => {
    expect([...bases(one, other)].sort().join()).toBe(expected);
    expect([...bases(other, one)].sort().join()).toBe(expected);
  });
});
