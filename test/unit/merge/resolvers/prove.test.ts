import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { proveMerge } from "../../../../src/merge/resolvers/prove.ts";
import { cleanEdits } from "./random-edits.ts";

const prove = async (base: string, ours: string, theirs: string, merged: string, path = "a.ts"): Promise<string[]> =>
  (await proveMerge(base, ours, theirs, merged, path)).map(({ kind, what }) => `${kind}: ${what}`);

describe("edits that stay clear of each other", () => {
  test("are proved where both are in the merge", async () => {
    await fc.assert(
      fc.asyncProperty(cleanEdits, async ({ base, ours, theirs, merged }) => {
        expect(await prove(base.join(""), ours.join(""), theirs.join(""), merged.join(""))).toEqual([]);
      }),
    );
  });

  test("are found where a line that one side added is dropped or stands twice", async () => {
    await fc.assert(
      fc.asyncProperty(cleanEdits, fc.nat(), fc.boolean(), async ({ base, ours, theirs, merged, added }, pick, twice) => {
        fc.pre(added.length > 0);
        const line = added[pick % added.length] ?? "";
        const wrong = merged.flatMap((one) => (one === line ? (twice ? [one, one] : []) : [one]));
        const findings = await prove(base.join(""), ours.join(""), theirs.join(""), wrong.join(""));
        expect(findings).toContain(`lines: ${JSON.stringify(line.trim())} is there ${twice ? 2 : 0} times, not 1`);
      }),
    );
  });

  test("are found where a line that one side removed is back", async () => {
    expect(await prove("a\nb\nc\n", "a\nc\n", "a\nb\nc\nd\n", "a\nb\nc\nd\n")).toEqual(['lines: "b" is there 1 times, not 0']);
  });
});

test("conditions of a package that both sides gave it are found: the first that fits is taken", async () => {
  const manifest = (conditions: object, more = {}): string => `${JSON.stringify({ name: "a", ...more, exports: conditions }, null, 2)}\n`;
  const [base, ours, theirs] = [{ default: "./a.js" }, { node: "./n.js", default: "./a.js" }, { import: "./i.js", default: "./a.js" }];
  const merged = { node: "./n.js", import: "./i.js", default: "./a.js" };
  expect(await prove(manifest(base), manifest(ours), manifest(theirs), manifest(merged), "packages/a/package.json")).toEqual([
    "unreadable: the conditions of exports come from both sides, and their order means something",
  ]);
  const version = { version: "1" };
  expect(await prove(manifest(base), manifest(ours), manifest(base, version), manifest(ours, version), "package.json")).toEqual([]);
});

test("a line that a rule replaced is exempt", async () => {
  const proof = await proveMerge("v 1\n", "v 2\n", "v 3\n", "v 3\n", "a.txt", ["v 2\n"]);
  expect(proof).toEqual([]);
  expect(await prove("v 1\n", "v 2\n", "v 3\n", "v 3\n", "a.txt")).toEqual(['lines: "v 2" is there 0 times, not 1']);
});

test.for<[what: string, path: string, base: string, ours: string, theirs: string, merged: string, finding: string]>([
  ["markers", "a.txt", "a\n", "b\n", "c\n", "<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\n", "markers: a conflict marker is left"],
  ["JSON that does not parse", "a.json", "{}", '{"a":1}', '{"b":1}', '{"a":1"b":1}', "unreadable: it is no JSON any more"],
  [
    "a JSON key that both added",
    "a.json",
    '{\n"x": {\n"m": 1,\n"n": 1\n}}\n',
    '{\n"x": {\n"a": 1,\n"m": 1,\n"n": 1\n}}\n',
    '{\n"x": {\n"m": 1,\n"n": 1,\n"a": 2\n}}\n',
    '{\n"x": {\n"a": 1,\n"m": 1,\n"n": 1,\n"a": 2\n}}\n',
    "unreadable: the key x.a stands twice",
  ],
  [
    "an import that both added",
    "a.ts",
    "f();\ng();\n",
    'import { a } from "x";\nf(a);\ng();\n',
    'f();\nimport { a } from "y";\ng(a);\n',
    'import { a } from "x";\nf(a);\nimport { a } from "y";\ng(a);\n',
    "names: a is imported twice",
  ],
  [
    "an export that both added",
    "a.ts",
    "1;\n2;\n",
    "export const a = 1;\n1;\n2;\n",
    "1;\n2;\nexport const a = 2;\n",
    "export const a = 1;\n1;\n2;\nexport const a = 2;\n",
    "names: a is exported twice",
  ],
  [
    "a use whose import the other side removed",
    "a.ts",
    'import { a } from "x";\na();\n1;\n2;\n',
    "1;\n2;\n",
    'import { a } from "x";\na();\n1;\na();\n2;\n',
    "1;\na();\n2;\n",
    "names: a is used, but its import is gone",
  ],
  [
    "an import whose use the other side removed",
    "a.ts",
    "use(1);\n2;\n",
    "2;\n",
    'import { a } from "x";\nuse(a);\n2;\n',
    'import { a } from "x";\n2;\n',
    "names: a is imported, but what used it is gone",
  ],
  [
    "a method that both added, at two places",
    "a.ts",
    "class A {\n  one() {}\n}\n",
    "class A {\n  two() {}\n  one() {}\n}\n",
    "class A {\n  one() {}\n  two() {}\n}\n",
    "class A {\n  two() {}\n  one() {}\n  two() {}\n}\n",
    "unreadable: two stands twice in A",
  ],
  [
    "a statement torn apart, all brackets in pairs",
    "a.js",
    "f();\n",
    "f(\n  a\n);\n",
    "f();\ng();\n",
    "f(\n  a b\n);\ng();\n",
    "unreadable: it does not parse any more",
  ],
  [
    "a bracket lost in a dialect that is not known",
    "a.js",
    "<<a>>;\nf();\n",
    "<<a>>;\nif (a) {\nf();\n}\n",
    "<<a>>;\nf(b);\n",
    "<<a>>;\nif (a) {\nf(b);\n",
    "brackets: the brackets {} are not in pairs",
  ],
  ["a bracket lost", "a.ts", "f();\n", "if (a) {\nf();\n}\n", "f(b);\n", "if (a) {\nf(b);\n", "unreadable: it does not parse any more"],
])("finds %s", async ([, path, base, ours, theirs, merged, finding]) => {
  expect(await prove(base, ours, theirs, merged, path)).toContain(finding);
});

test.for<[what: string, path: string, base: string, ours: string, theirs: string, merged: string]>([
  [
    "a key that stood twice before",
    "a.json",
    '{\n"a": 1,\n"a": 2\n}\n',
    '{\n"a": 1,\n"a": 2,\n"b": 1\n}\n',
    '{\n"a": 1,\n"a": 2\n}\n',
    '{\n"a": 1,\n"a": 2,\n"b": 1\n}\n',
  ],
  [
    "overloads",
    "a.ts",
    "1;\n",
    "export function f(a: 1): void;\nexport function f(a: 2): void;\n1;\n",
    "1;\n2;\n",
    "export function f(a: 1): void;\nexport function f(a: 2): void;\n1;\n2;\n",
  ],
  [
    "a setter beside its getter, and a type beside its value",
    "a.ts",
    "class A {\n  get a() { return 1; }\n}\nconst B = 1;\n",
    "class A {\n  get a() { return 1; }\n  set a(to) {}\n}\nconst B = 1;\n",
    "class A {\n  get a() { return 1; }\n}\nconst B = 1;\ntype B = 1;\n",
    "class A {\n  get a() { return 1; }\n  set a(to) {}\n}\nconst B = 1;\ntype B = 1;\n",
  ],
  ["the same change on both sides", "a.ts", "a();\nb();\n", "c();\nb();\n", "c();\nb();\n", "c();\nb();\n"],
  [
    "keys of the same name in two objects",
    "a.json",
    "{}",
    '{"x":{"a":1},"y":[{"a":1},{"a":2}]}',
    "{}",
    '{"x":{"a":1},"y":[{"a":1},{"a":2}]}',
  ],
])("does not mind %s", async ([, path, base, ours, theirs, merged]) => {
  expect(await prove(base, ours, theirs, merged, path)).toEqual([]);
});
