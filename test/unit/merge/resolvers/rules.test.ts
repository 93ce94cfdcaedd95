import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Rule } from "../../../../src/merge/resolvers/rule.ts";
import { rulesOf } from "../../../../src/merge/resolvers/rules.ts";
import { outcome, type Sides } from "./hunk-of.ts";

const rule = (name: string): Rule => rulesOf("assist").find((one) => one.name === name) ?? expect.unreachable(name);
const sides = (base: string[], ours: string[], theirs: string[]): Sides => ({ base, ours, theirs });

type Taken = [why: string, path: string, hunk: Sides, merged: string[]];
type Declined = [why: string, path: string, hunk: Sides];

const TAKES: Readonly<Record<string, Taken[]>> = {
  identical: [["the same lines", "a.ts", sides(["x"], ["y"], ["y"]), ["y"]]],
  "white-space": [
    ["one side indented, the other changed", "a.ts", sides(["a(1);"], ["  a(1);"], ["a(2);"]), ["  a(2);"]],
    ["one side indented, the other added", "a.ts", sides(["a;"], ["  a;"], ["a;", "b;"]), ["  a;", "b;"]],
    ["unchanged lines keep the new layout", "a.ts", sides(["a ", "b"], ["a", "b"], ["a ", "c"]), ["a", "c"]],
  ],
  versions: [
    ["both raised", "package.json", sides(['"v": "1.2.3",'], ['"v": "1.3.0",'], ['"v": "1.2.10",']), ['"v": "1.3.0",']],
    [
      "one raised each",
      "package.json",
      sides(["a 1.0.0", "b 1.0.0"], ["a 1.0.1", "b 1.0.0"], ["a 1.0.0", "b 1.0.2"]),
      ["a 1.0.1", "b 1.0.2"],
    ],
    ["a release over its early form", "package.json", sides(["1.0.0-beta.2"], ["1.0.0-beta.10"], ["1.0.0"]), ["1.0.0"]],
  ],
  "json-members": [
    ["two dependencies added", "package.json", sides([], ['  "a": "1.0.0",'], ['  "b": "1.0.0",']), ['  "a": "1.0.0",', '  "b": "1.0.0",']],
    [
      "one raised, one added, at the end of the object",
      "package.json",
      sides(['  "m": "1.0.0"'], ['  "m": "1.1.0"'], ['  "m": "1.0.0",', '  "n": "2.0.0"']),
      ['  "m": "1.1.0",', '  "n": "2.0.0"'],
    ],
    [
      "a removed section against raised versions in it",
      "package.json",
      sides(['  "p": {', '    "x": "1.0.0"', "  }"], ['  "q": 1'], ['  "p": {', '    "x": "1.0.1"', "  }"]),
      ['  "q": 1'],
    ],
  ],
  imports: [
    [
      "two lines added",
      "a.ts",
      sides([], ['import { a } from "a";'], ['import b from "b";']),
      ['import { a } from "a";', 'import b from "b";'],
    ],
    [
      "two names added to one module",
      "a.ts",
      sides(['import { b } from "m";'], ['import { a, b } from "m";'], ['import { b, c } from "m";']),
      ['import { a, b, c } from "m";'],
    ],
    [
      "one removed, one added",
      "a.ts",
      sides(['import { a, b } from "m";'], ['import { a } from "m";'], ['import { a, b, c } from "m";']),
      ['import { a, c } from "m";'],
    ],
    [
      "requires",
      "a.js",
      sides(
        ["const a = require('a')"],
        ["const a = require('a')", "const b = require('b')"],
        ["const c = require('c')", "const a = require('a')"],
      ),
      ["const c = require('c')", "const a = require('a')", "const b = require('b')"],
    ],
  ],
  continued: [
    ["more behind", "a.ts", sides([], ["one();"], ["one();", "two();"]), ["one();", "two();"]],
    ["more before", "a.md", sides([""], ["zero", "one"], ["one"]), ["zero", "one"]],
  ],
  contained: [["an edit and more", "a.ts", sides(["f(a, x);"], ["f(b, x);"], ["f(b, x, y);"]), ["f(b, x, y);"]]],
  adjacent: [
    ["neighbours", "a.ts", sides(["a", "b"], ["A", "b"], ["a", "B"]), ["A", "B"]],
    ["a line removed beside one changed", "a.ts", sides(["a", "b"], ["b"], ["a", "B"]), ["B"]],
    ["a line that became several beside one changed", "a.ts", sides(["a", "b"], ["A", "AA", "b"], ["a", "B"]), ["A", "AA", "B"]],
    ["an edit of both and one beside it", "a.ts", sides(["a", "b", "c"], ["A", "b", "c"], ["A", "b", "C"]), ["A", "b", "C"]],
  ],
};

const DECLINES: Readonly<Record<string, Declined[]>> = {
  identical: [["another line", "a.ts", sides(["x"], ["y"], ["z"])]],
  "white-space": [
    ["a blank within a literal", "a.ts", sides(['f("a  b")'], ['f("a b")'], ['f("a  c")'])],
    ["white space that means something", "a.py", sides(["a"], ["  a"], ["b"])],
    ["two words joined", "a.ts", sides(["a b"], ["ab"], ["a c"])],
    ["only blank lines before", "a.ts", sides([""], ["  "], ["x"])],
  ],
  versions: [
    ["one lowered", "package.json", sides(["1.2.0"], ["1.1.0"], ["1.3.0"])],
    ["another range sign", "package.json", sides(["^1.2.0"], ["~1.2.1"], ["^1.3.0"])],
    ["no manifest", "a.ts", sides(["1.2.0"], ["1.2.1"], ["1.3.0"])],
  ],
  "json-members": [
    ["one key, two values", "package.json", sides([], ['"a": "1.0.0",'], ['"a": "2.0.0",'])],
    ["changed against removed", "package.json", sides(['"t": "x",'], ['"t": "y",'], ['"u": "z",'])],
    ["half an object", "package.json", sides(['"a": {'], ['"b": {'], ['"c": {'])],
    [
      "a package that missed the raise of its scope",
      "package.json",
      sides(['"@s/a": "1.0.0",'], ['"@s/a": "1.0.1",'], ['"@s/a": "1.0.0",', '"@s/b": "1.0.0",']),
    ],
    ["a comma on one side only", "a.json", sides([], ['"a": 1,'], ['"b": 2'])],
    ["no JSON", "a.ts", sides([], ['"a": 1,'], ['"b": 2,'])],
  ],
  imports: [
    ["an import for its effect", "a.ts", sides([], ['import "a";'], ['import b from "b";'])],
    ["one name from two modules", "a.ts", sides([], ['import { a } from "x";'], ['import { a } from "y";'])],
    ["code among them", "a.ts", sides([], ['import a from "a";', "a();"], ['import b from "b";'])],
    ["two styles", "a.ts", sides([], ['import a from "a";'], ["import b from 'b'"])],
    ["all moved away by one side", "a.ts", sides(['import a from "a";'], [], ['import a from "a";', 'import b from "b";'])],
    ["a name renamed", "a.ts", sides(['import { a } from "m";'], ['import { A } from "m";'], ['import { a, b } from "m";'])],
    [
      "another form of import",
      "a.ts",
      sides(['import { A } from "m";'], ['import type { A } from "m";'], ['import { A } from "m";', 'import { B } from "n";']),
    ],
  ],
  continued: [
    ["more in between", "a.ts", sides([], ["one();", "three();"], ["one();", "two();", "three();"])],
    ["only punctuation in common", "a.ts", sides([], ["}"], ["}", "two();"])],
    ["only punctuation more", "a.ts", sides([], ["one();"], ["one();", "*"])],
    ["lines of the base replaced", "a.ts", sides(["zero();"], ["one();"], ["one();", "two();"])],
  ],
  contained: [
    ["an edit elsewhere", "a.ts", sides(["f(a, x);"], ["f(b, x);"], ["f(a, x, y);"])],
    ["insertions without a base", "a.ts", sides([], ["a"], ["a", "b"])],
    ["a blank more, which makes two words of one", "a.sh", sides(["rm -rf a/b"], ['rm -rf "$A"/ b'], ['rm -rf "$A"/b'])],
    ["quotes more", "a.sh", sides(["rm -rf a/b"], ['rm -rf "$A"/"b"'], ['rm -rf "$A"/b'])],
    ["a semicolon more", "a.sh", sides(["find a -exec rm b"], ["find c -exec rm; b"], ["find c -exec rm b"])],
  ],
  adjacent: [
    ["one line, two edits", "a.ts", sides(["a", "b"], ["A", "b"], ["x", "B"])],
    ["a line added", "a.ts", sides(["a"], ["A"], ["a", "b"])],
    ["a line that both wrote, each in place of another", "a.ts", sides(["a", "b"], ["x", "b"], ["a", "x"])],
    ["more lines than a glance takes in", "a.ts", sides("abcdefghijklm".split(""), "Abcdefghijklm".split(""), "abcdefghijklM".split(""))],
  ],
};

describe.for(Object.entries(TAKES))("%s", ([name, cases]) => {
  test.for(cases)("takes: %s", ([, path, hunk, merged]) => {
    expect(outcome(rule(name), path, hunk)).toEqual(merged);
  });

  test.for(DECLINES[name] ?? [])("declines: %s", ([, path, hunk]) => {
    expect(outcome(rule(name), path, hunk)).toBeUndefined();
  });
});

test.for<[what: string, hunk: Sides]>([
  ["a blank", sides(["rm -rf build"], ['rm -rf "$ROOT"/ build'], ['rm -rf "$ROOT"/build'])],
  ["a blank, beside an edit of both", sides(["rm -rf a/build"], ['rm -rf "$ROOT"/ build'], ['rm -rf "$ROOT"/build'])],
  ["quotes", sides(["rm -rf build"], ['rm -rf "$ROOT/*"'], ["rm -rf '$ROOT/*'"])],
  ["quotes, beside an edit of both", sides(["rm -rf a build"], ['rm -rf "$ROOT"/* build'], ["rm -rf $ROOT/* build"])],
  ["a line break", sides(["rm -rf build"], ["rm -rf $ROOT/build"], ["rm -rf $ROOT", "/build"])],
])("no rule chooses between two edits of one shell line that differ in %s", ([, hunk]) => {
  const taken = rulesOf("assist").filter((one) => outcome(one, "clean.sh", hunk) !== undefined);
  expect(taken.map((one) => one.name)).toEqual([]);
});

test("every rule has cases that it takes and cases that it declines", () => {
  const names = rulesOf("assist").map((one) => one.name);
  expect([Object.keys(TAKES), Object.keys(DECLINES)]).toEqual([names, names]);
});

const LINES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "package.json": fc
    .tuple(fc.constantFrom("a", "b", "c", "d"), fc.constantFrom("1.0.0", "1.0.1", "1.2.0", "2.0.0-rc.1"))
    .map(([key, version]) => `  "${key}": "${version}",`),
  "a.ts": fc.oneof(
    fc
      .tuple(fc.subarray(["a", "b", "c"], { minLength: 1 }), fc.constantFrom("m", "n"))
      .map(([names, from]) => `import { ${names.join(", ")} } from "${from}";`),
    fc.array(fc.constantFrom("a", "b", "f(", ")", " ", "=", "1.0.0", ";"), { minLength: 1, maxLength: 6 }).map((words) => words.join("")),
  ),
};
const anyCase = fc.constantFrom(...Object.keys(LINES)).chain((path) => {
  const lines = fc.array(LINES[path] ?? fc.constant(""), { maxLength: 3 });
  return fc.record({ path: fc.constant(path), hunk: fc.record({ base: lines, ours: lines, theirs: lines }) });
});
const bare = (lines: readonly string[] | undefined): string[] | undefined => lines?.map((line) => line.replace(/[\s;]/g, "")).sort();

describe.for(rulesOf("assist").map((one) => [one.name] as const))("%s, over random hunks", ([name]) => {
  test("says the same with the sides swapped, but for order and layout", () => {
    fc.assert(
      fc.property(anyCase, ({ path, hunk: { base, ours, theirs } }) => {
        const one = outcome(rule(name), path, sides(base, ours, theirs));
        const other = outcome(rule(name), path, sides(base, theirs, ours));
        // Names within one import are in either order.
        const words = (lines: readonly string[] | undefined) => bare(lines)?.join("").split("").sort().join("");
        expect(words(one)).toBe(words(other));
      }),
      { numRuns: 2_000 },
    );
  });

  test("takes one side's change whole where the other side has none", () => {
    fc.assert(
      fc.property(anyCase, ({ path, hunk: { base, ours } }) => {
        const merged = outcome(rule(name), path, sides(base, ours, base));
        if (merged !== undefined) expect(bare(merged)?.join("")).toBe(bare(ours)?.join(""));
      }),
    );
  });
});
