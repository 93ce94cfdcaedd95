import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveFile } from "../../../../src/merge/resolvers/resolve-file.ts";
import { mergedMembers, randomVersions, type Versions } from "./random-members.ts";

type Case = [why: string, path: string, base: string, ours: string, theirs: string];
type Taken = [...Case, merged: string];

const resolve = ([, path, base, ours, theirs]: Case | Taken) => resolveFile({ level: "assist", path, base, ours, theirs });

/** A class with these members after its first one. */
const inClass = (...members: string[]): string =>
  `export class A {\n  one() {\n    return 1;\n  }\n${members.map((text) => `\n${text}`).join("")}}\n`;
const method = (name: string, body = `return "${name}";`): string => `  ${name}() {\n    ${body}\n  }\n`;
const inside = (opening: string, ...members: string[]): string => `${opening} {\n${members.map((text) => `  ${text}\n`).join("")}}\n`;
const functions = (...names: string[]): string => names.map((name) => `export function ${name}() {\n  return "${name}";\n}\n`).join("\n");

const TAKEN: Taken[] = [
  [
    "two methods added behind the last",
    "a.ts",
    inClass(),
    inClass(method("two")),
    inClass(method("three")),
    inClass(method("two"), method("three")),
  ],
  [
    "two methods with their comments",
    "a.js",
    inClass(),
    inClass(`  // Two.\n${method("two")}`),
    inClass(`  /** Three. */\n${method("three")}`),
    inClass(`  // Two.\n${method("two")}`, `  /** Three. */\n${method("three")}`),
  ],
  [
    "methods that share most of their lines with the one before",
    "a.ts",
    "class A {\n  a() {\n    this.log();\n    return 1;\n  }\n}\n",
    "class A {\n  a() {\n    this.log();\n    return 1;\n  }\n\n  b() {\n    this.log();\n    return 1;\n  }\n}\n",
    "class A {\n  a() {\n    this.log();\n    return 1;\n  }\n\n  c() {\n    this.log();\n    return 1;\n  }\n}\n",
    "class A {\n  a() {\n    this.log();\n    return 1;\n  }\n\n  b() {\n    this.log();\n    return 1;\n  }\n\n  c() {\n    this.log();\n    return 1;\n  }\n}\n",
  ],
  ["two functions at the end", "a.mjs", functions("a"), functions("a", "b"), functions("a", "c"), functions("a", "b", "c")],
  ["two functions at the top", "a.js", functions("a"), functions("b", "a"), functions("c", "a"), functions("b", "c", "a")],
  [
    "the only functions of a file",
    "a.ts",
    'import "x";\n',
    `import "x";\n\n${functions("b")}`,
    `import "x";\n\n${functions("c")}`,
    `import "x";\n\n${functions("b", "c")}`,
  ],
  [
    "an arrow function and a type",
    "a.ts",
    "export const a = 1;\n",
    "export const a = 1;\nexport const b = () => a;\n",
    "export const a = 1;\nexport type C = { c: 1 };\n",
    "export const a = 1;\nexport const b = () => a;\nexport type C = { c: 1 };\n",
  ],
  [
    "a function beside a statement",
    "a.js",
    "start();\n",
    "start();\n\nfunction b() {}\n",
    "start();\n\nstop();\n",
    "start();\n\nfunction b() {}\n\nstop();\n",
  ],
  ["a function removed where another is added", "a.js", functions("a", "b"), functions("a"), functions("a", "b", "c"), functions("a", "c")],
  [
    "overloads as one",
    "a.ts",
    "one();\n",
    "one();\nfunction f(a: 1): 1;\nfunction f(a: 2): 2;\nfunction f(a: any) {\n  return a;\n}\n",
    "one();\nfunction g() {}\n",
    "one();\nfunction f(a: 1): 1;\nfunction f(a: 2): 2;\nfunction f(a: any) {\n  return a;\n}\nfunction g() {}\n",
  ],
  [
    "keys of an object",
    "a.js",
    inside("module.exports =", "a: 1,"),
    inside("module.exports =", "a: 1,", "b: 2,"),
    inside("module.exports =", "a: 1,", "c() {},"),
    inside("module.exports =", "a: 1,", "b: 2,", "c() {},"),
  ],
  [
    "keys without a comma behind the last",
    "a.js",
    inside("module.exports =", "a: 1"),
    inside("module.exports =", "a: 1,", "b: 2 // two"),
    inside("module.exports =", "a: 1,", "c: 3"),
    inside("module.exports =", "a: 1,", "b: 2, // two", "c: 3"),
  ],
  [
    "keys of a sorted object",
    "a.js",
    inside("export const x =", "a: 1,", "b: 1,", "z: 1,"),
    inside("export const x =", "a: 1,", "b: 1,", "t: 1,", "z: 1,"),
    inside("export const x =", "a: 1,", "b: 1,", "c: 1,", "z: 1,"),
    inside("export const x =", "a: 1,", "b: 1,", "c: 1,", "t: 1,", "z: 1,"),
  ],
  [
    "keys in one line",
    "a.js",
    "module.exports = { a };\n",
    "module.exports = { a, b };\n",
    "module.exports = { a, c };\n",
    "module.exports = { a, b, c };\n",
  ],
  [
    "keys in one line, which one side broke in several",
    "a.js",
    "module.exports = { a };\n",
    "module.exports = { a, b };\n",
    "module.exports = {\n  a,\n  cc,\n};\n",
    "module.exports = {\n  a,\n  b,\n  cc,\n};\n",
  ],
  [
    "keys within keys",
    "a.json",
    '{\n  "x": {\n    "a": [\n      1\n    ]\n  }\n}\n',
    '{\n  "x": {\n    "a": [\n      1\n    ],\n    "b": [\n      1\n    ]\n  }\n}\n',
    '{\n  "x": {\n    "a": [\n      1\n    ],\n    "c": [\n      1\n    ]\n  }\n}\n',
    '{\n  "x": {\n    "a": [\n      1\n    ],\n    "b": [\n      1\n    ],\n    "c": [\n      1\n    ]\n  }\n}\n',
  ],
  [
    "keys of an empty object",
    "a.ts",
    "const x: X = {};\n",
    "const x: X = {\n  a: 1,\n};\n",
    "const x: X = {\n  b: 2,\n};\n",
    "const x: X = {\n  a: 1,\n  b: 2,\n};\n",
  ],
  [
    "members of an interface",
    "a.d.ts",
    inside("export interface A", "a: 1;"),
    inside("export interface A", "a: 1;", "b?: 2;"),
    inside("export interface A", "a: 1;", "c(): 3;"),
    inside("export interface A", "a: 1;", "b?: 2;", "c(): 3;"),
  ],
  [
    "members of a type",
    "a.ts",
    inside("type A =", "a: 1"),
    inside("type A =", "a: 1", "b: 2"),
    inside("type A =", "a: 1", "c: 3"),
    inside("type A =", "a: 1", "b: 2", "c: 3"),
  ],
  [
    "entries of an enum with values",
    "a.ts",
    inside("enum E", 'A = "a",'),
    inside("enum E", 'A = "a",', 'B = "b",'),
    inside("enum E", 'A = "a",', 'C = "c",'),
    inside("enum E", 'A = "a",', 'B = "b",', 'C = "c",'),
  ],
  [
    "names of an export",
    "a.ts",
    'export { a } from "x";\n',
    'export { a, b } from "x";\n',
    'export { a, type C } from "x";\n',
    'export { a, b, type C } from "x";\n',
  ],
  [
    "exports from elsewhere",
    "a.ts",
    'export * from "./a.ts";\n',
    'export * from "./a.ts";\nexport * from "./b.ts";\n',
    'export * from "./a.ts";\nexport { c } from "./c.ts";\n',
    'export * from "./a.ts";\nexport * from "./b.ts";\nexport { c } from "./c.ts";\n',
  ],
  [
    "members of a union",
    "a.ts",
    'type A = "a" | B;\n',
    'type A = "a" | B | "b";\n',
    'type A = "a" | B | C[];\n',
    'type A = "a" | B | "b" | C[];\n',
  ],
  [
    "cases of a switch",
    "a.js",
    inside("switch (x)", 'case "a":', "  return 1;"),
    inside("switch (x)", 'case "a":', "  return 1;", 'case "b":', "  return 2;"),
    inside("switch (x)", 'case "a":', "  return 1;", 'case "c": {', "  return 3;", "}"),
    inside("switch (x)", 'case "a":', "  return 1;", 'case "b":', "  return 2;", 'case "c": {', "  return 3;", "}"),
  ],
  [
    "tests",
    "a.test.ts",
    inside('describe("a", () =>', 'it("is one", () => {});').replace(/\n$/, ");\n"),
    inside('describe("a", () =>', 'it("is one", () => {});', 'it("is two", () => {});').replace(/\n$/, ");\n"),
    inside('describe("a", () =>', 'it("is one", () => {});', 'it.skip("is three", () => {});').replace(/\n$/, ");\n"),
    inside('describe("a", () =>', 'it("is one", () => {});', 'it("is two", () => {});', 'it.skip("is three", () => {});').replace(
      /\n$/,
      ");\n",
    ),
  ],
  [
    "members of neighbours, each changed by one side",
    "a.ts",
    inside("interface A", "a: 1;", "b: 1;"),
    inside("interface A", "a: 2;", "b: 1;"),
    inside("interface A", "a: 1;", "b: 2;", "c: 3;"),
    inside("interface A", "a: 2;", "b: 2;", "c: 3;"),
  ],
  [
    "fields that JSX and decorators stand by",
    "a.tsx",
    "class A {\n  a: 1;\n}\n",
    "class A {\n  a: 1;\n  b = () => <b />;\n}\n",
    "class A {\n  a: 1;\n\n  @Column()\n  c: string;\n}\n",
    "class A {\n  a: 1;\n  b = () => <b />;\n\n  @Column()\n  c: string;\n}\n",
  ],
  [
    "Windows line ends",
    "a.ts",
    inside("interface A", "a: 1;").replaceAll("\n", "\r\n"),
    inside("interface A", "a: 1;", "b: 2;").replaceAll("\n", "\r\n"),
    inside("interface A", "a: 1;", "c: 3;").replaceAll("\n", "\r\n"),
    inside("interface A", "a: 1;", "b: 2;", "c: 3;").replaceAll("\n", "\r\n"),
  ],
  [
    "a method that both sides changed, in lines of their own",
    "a.ts",
    inClass(method("m", "a();\n    b();\n    c();\n    d();")),
    inClass(method("m", "A();\n    b();\n    c();\n    d();"), "  two() {}\n"),
    inClass(method("m", "a();\n    b();\n    c();\n    D();"), "  three() {}\n"),
    inClass(method("m", "A();\n    b();\n    c();\n    D();"), "  two() {}\n", "  three() {}\n"),
  ],
];

const DECLINED: Case[] = [
  ["one method in two forms", "a.ts", inClass(), inClass(method("two", "a();")), inClass(method("two", "b();"))],
  ["one key with two values", "a.json", '{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "b": 2\n}\n', '{\n  "a": 1,\n  "b": 3\n}\n'],
  ["one key written in two ways", "a.js", inside("x =", "a: 1,"), inside("x =", "a: 1,", "b: 2,"), inside("x =", "a: 1,", '"b": 3,')],
  [
    "a method changed here and removed there",
    "a.ts",
    inClass(method("m", "a();")),
    inClass(method("m", "b();")),
    inClass(method("n", "a();\n    x();")),
  ],
  ["a spread added", "a.js", inside("x =", "a: 1,"), inside("x =", "a: 1,", "...b,"), inside("x =", "a: 1,", "c: 2,")],
  ["a computed key added", "a.js", inside("x =", "a: 1,"), inside("x =", "a: 1,", "[b]: 1,"), inside("x =", "a: 1,", "c: 2,")],
  ["entries of an enum that count", "a.ts", inside("enum E", "A,"), inside("enum E", "A,", "B,"), inside("enum E", "A,", "C,")],
  [
    "entries that both gave the next number",
    "a.ts",
    inside("enum E", "A = 1,"),
    inside("enum E", "A = 1,", "B = 2,"),
    inside("enum E", "A = 1,", "C = 2,"),
  ],
  [
    "keys that both gave the next number",
    "a.js",
    inside("x =", "A: 1 << 0,", "B: 1 << 1,"),
    inside("x =", "A: 1 << 0,", "B: 1 << 1,", "C: 1 << 2,"),
    inside("x =", "A: 1 << 0,", "B: 1 << 1,", "D: 1 << 2,"),
  ],
  [
    "fields whose values run code",
    "a.ts",
    "class A {\n  a = 1;\n}\n",
    "class A {\n  a = 1;\n  b = f();\n}\n",
    "class A {\n  a = 1;\n  c = g();\n}\n",
  ],
  [
    "methods that a decorator registers",
    "a.ts",
    inClass(),
    inClass(`  @Get("/a")\n${method("two")}`),
    inClass(`  @Get(":id")\n${method("three")}`),
  ],
  [
    "a case that falls through",
    "a.js",
    inside("switch (x)", 'case "a":', "  return 1;"),
    inside("switch (x)", 'case "a":', "  return 1;", 'case "b":', "  two();"),
    inside("switch (x)", 'case "a":', "  return 1;", 'case "c":', "  return 3;"),
  ],
  ["one test in two forms", "a.test.js", "a();\n", 'a();\nit("b", () => c());\n', 'a();\nit("b", () => d());\n'],
  ["elements of a list", "a.js", "x = [\n  1,\n];\n", "x = [\n  1,\n  2,\n];\n", "x = [\n  1,\n  3,\n];\n"],
  ["arguments", "a.js", "f(\n  1,\n);\n", "f(\n  1,\n  2,\n);\n", "f(\n  1,\n  3,\n);\n"],
  ["statements that do something", "a.js", "a();\n", "a();\nb();\n", "a();\nc();\n"],
  ["declarations whose values run code", "a.js", "a();\n", "a();\nconst b = f();\n", "a();\nconst c = g();\n"],
  ["an exported object replaced", "a.js", "a();\n", "a();\nmodule.exports = {};\n", "a();\nmodule.exports.b = function () {};\n"],
  ["imports for their effect", "a.js", "a();\n", 'import "x";\na();\n', 'import "y";\na();\n'],
  [
    "one statement replaced by two others",
    "a.js",
    "one();\nold();\nthree();\n",
    "one();\nours();\nthree();\n",
    "one();\n// old();\nthree();\n",
  ],
  [
    "one addition made twice under two names",
    "a.js",
    "a();\n",
    "a();\n\nfunction load() {\n  const list = read();\n  sort(list);\n  return list;\n}\n",
    "a();\n\nfunction loadAll() {\n  const list = read();\n  sort(list);\n  return list;\n}\n",
  ],
  [
    "an import in another form beside a new one",
    "a.ts",
    'import { A } from "m";\n\nnew A();\n',
    'import type { A } from "m";\n\nnew A();\n',
    'import { A } from "m";\nimport { B } from "n";\nimport "x";\n\nnew A(B);\n',
  ],
  [
    "a package that missed the raise of its scope",
    "package.json",
    '{\n  "dependencies": {\n    "@s/a": "1.0.0"\n  }\n}\n',
    '{\n  "dependencies": {\n    "@s/a": "1.0.1"\n  }\n}\n',
    '{\n  "dependencies": {\n    "@s/a": "1.0.0",\n    "@s/b": "1.0.0"\n  }\n}\n',
  ],
  ["a side that does not parse", "a.ts", inClass(), inClass(method("two")).replace("one()", "one("), inClass(method("three"))],
  ["a name that the merge would declare twice", "a.ts", "a();\n", "a();\nfunction b() {}\n", "a();\nclass c {}\nconst b = () => 1;\n"],
  ["members that share a line", "a.js", "x = {\n  a, b,\n};\n", "x = {\n  a, b, c,\n};\n", "x = {\n  a, b, d,\n};\n"],
  ["a language without a parser", "a.py", "a = 1\n", "a = 1\nb = 2\n", "a = 1\nc = 3\n"],
];

describe("members of an unordered place are merged by name", () => {
  test.for(TAKEN)("%s", async (one) => {
    expect(await resolve(one)).toMatchObject({ kind: "resolved", text: one[5] });
  });

  test("a person is told which members, of which side", async () => {
    expect(await resolve(TAKEN[3] ?? expect.unreachable())).toMatchObject({
      applied: [
        {
          rule: "additions",
          hunk: {
            base: [],
            ours: expect.arrayContaining(["export function b() {\n"]),
            theirs: expect.arrayContaining(["export function c() {\n"]),
          },
        },
      ],
    });
  });

  test("additions at one place with level safe too, all else with assist", async () => {
    const [, path, base, ours, theirs, merged] = TAKEN[0] ?? expect.unreachable();
    expect(await resolveFile({ level: "safe", path, base, ours, theirs })).toMatchObject({ kind: "resolved", text: merged });
    const [, ...removal] = TAKEN.find(([why]) => why.startsWith("a function removed")) ?? expect.unreachable();
    const removed = { path: removal[0], base: removal[1], ours: removal[2], theirs: removal[3] };
    expect(await resolveFile({ level: "safe", ...removed })).toMatchObject({ kind: "declined" });
    expect(await resolveFile({ level: "assist", ...removed })).toMatchObject({ applied: [{ rule: "members" }] });
  });
});

describe("left to a person", () => {
  test("a file that both added", async () => {
    const sides = { ours: functions("a"), theirs: functions("b") };
    expect(await resolveFile({ level: "assist", path: "a.ts", base: undefined, ...sides })).toMatchObject({ kind: "declined" });
  });

  test.for(DECLINED)("%s", async (one) => {
    expect(await resolve(one)).toMatchObject({ kind: "declined" });
  });
});

/** How a member is written in each kind of place, one a line; and what stands around them. */
const PLACES: Readonly<
  Record<string, { path: string; write: (name: string, value: number) => string; around: (members: string[]) => string }>
> = {
  methods: { path: "a.ts", write: (name, value) => `  ${name}() { return ${value}; }`, around: (list) => `class A {\n${list.join("")}}\n` },
  functions: {
    path: "a.js",
    write: (name, value) => `function ${name}() { return ${value}; }`,
    around: (list) => `start();\n${list.join("")}`,
  },
  keys: { path: "a.mjs", write: (name, value) => `  ${name}: ${value},`, around: (list) => `export const x = {\n${list.join("")}};\n` },
  "JSON keys": {
    path: "a.json",
    write: (name, value) => `  "${name}": [${value}],`,
    around: (list) => `{\n${list.join("").replace(/,\n$/, "\n")}}\n`,
  },
  "type members": { path: "a.ts", write: (name, value) => `  ${name}: ${value};`, around: (list) => `interface A {\n${list.join("")}}\n` },
  entries: { path: "a.ts", write: (name, value) => `  ${name} = ${value},`, around: (list) => `enum A {\n${list.join("")}}\n` },
};

const membersIn = (text: string): string[] =>
  [...text.matchAll(/^(?: *|function )"?([a-h])"?\W+(?:\{ return )?(\d+)/gm)].map(([, name, value]) => `${name} ${value}`).sort();

describe.for(Object.entries(PLACES))("%s, over random edits of two sides", ([, { path, write, around }]) => {
  const resolveVersions = ({ base, ours, theirs }: Versions) => {
    const textOf = (list: Versions["base"]): string => around(list.map(([name, value]) => `${write(name, value)}\n`));
    return resolveFile({ level: "assist", path, base: textOf(base), ours: textOf(ours), theirs: textOf(theirs) });
  };

  test("what is taken has every change of both sides and nothing else, whichever side is ours", async () => {
    await fc.assert(
      fc.asyncProperty(randomVersions({ apart: false }), async (versions) => {
        const wanted = mergedMembers(versions);
        for (const sides of [versions, { ...versions, ours: versions.theirs, theirs: versions.ours }]) {
          const done = await resolveVersions(sides);
          if (done.kind === "declined") continue;
          expect(membersIn(done.text)).toEqual(
            [...(wanted ?? expect.unreachable(done.text))].map(([name, value]) => `${name} ${value}`).sort(),
          );
        }
      }),
      { numRuns: 150 },
    );
  });

  test("additions of other names at one place are always taken", async () => {
    await fc.assert(
      fc.asyncProperty(randomVersions({ apart: true }), async (versions) => {
        expect(await resolveVersions(versions)).toMatchObject({ kind: "resolved" });
      }),
    );
  });
});
