import { expect, test } from "vitest";
import { resolveFile } from "../../../../src/merge/resolvers/resolve-file.ts";

type Pair = [what: string, path: string, base: string, ours: string, theirs: string];

test.for<Pair>([
  [
    "the separator of a join",
    "a.ts",
    'const f = (a) => a.join(",");\n',
    'const f = (a) => a.join(" ");\n',
    'const f = (a) => a.join("");\n',
  ],
  ["a message", "a.js", 'const m = "hi";\n', 'const m = "therapist";\n', 'const m = "the rapist";\n'],
  ["a pattern", "a.js", "const r = /x/;\n", "const r = /a b/;\n", "const r = /ab/;\n"],
  ["a JSON value", "a.json", '{\n  "title": "x"\n}\n', '{\n  "title": "Data base"\n}\n', '{\n  "title": "Database"\n}\n'],
  ["a TOML value", "a.toml", 'k = "a"\n', 'k = "a b"\n', 'k = "ab"\n'],
  ["shell words", "clean.sh", "rm -rf build\n", 'rm -rf "$ROOT"/ build\n', 'rm -rf "$ROOT"/build\n'],
  ["shell quotes", "q.sh", "echo a\n", "echo '$HOME'\n", 'echo "$HOME";\n'],
  ["SQL quotes", "q.sql", "select * from t where c = 1;\n", "select * from t where c = 'x';\n", 'select * from t where c = "x"\n'],
  ["an empty statement", "a.js", "if (x) y()\n", "if (x) ; y()\n", "if (x) y();\n"],
  ["a line break after return", "a.js", "function f() { return 0 }\n", "function f() { return\n x }\n", "function f() { return x }\n"],
  ["operators", "a.c", "int x = a;\n", "int x = a++ + b;\n", "int x = a + ++b;\n"],
  ["a CSS selector", "a.css", ".card { color: red; }\n", ".card .title { color: red; }\n", ".card.title { color: red; }\n"],
  ["a recipe", "Makefile", "all:\n\techo a\n", "all:\n\techo b\n", "all:\n    echo b\n"],
  ["a setting", ".env", "NAME=x\n", "NAME=my app\n", "NAME=myapp\n"],
  ["a pattern of ignored files", ".gitignore", "dist\n", "my dist\n", "mydist\n"],
  ["running text", "a.html", "<p>x</p>\n", "<p>no where</p>\n", "<p>nowhere</p>\n"],
  ["a block of a stub", "a.pyi", "if a:\n    b()\n", "if a:\n    c()\n    d()\n", "if a:\n    c()\nd()\n"],
  ["a block of Haskell", "a.hs", "main = do\n  a\n", "main = do\n  b\n  c\n", "main = do\n  b\nc\n"],
  ["a string's blanks", "row.ts", 'export const row = "id";\n', 'export const row = "id  name";\n', 'export const row = "id name";\n'],
  ["a table's columns", "rows.tsv", "id\n", "id\n1\ta b\n", "id\n1\ta\tb\n"],
  ["an added recipe", "Makefile", "all:\n\ttrue\n", "all:\n\ttrue\nin:\n        cp a b\n", "all:\n\ttrue\nin:\n\tcp a b\n"],
  ["a block of CoffeeScript", "f.coffee", "f = ->\n  a()\n", "f = ->\n  a()\n  b()\n", "f = ->\n  a()\nb()\n"],
  ["an escaped blank", "a.sh", "rm -rf a\\  b\n", "rm -rf a\\ b\n", "rm -rf c\\  b\n"],
  ["a Haskell block that one side moved", "a.hs", "  a\n", "    a\n", "  b\n"],
  ["a recipe in an included file", "rules.mk", "\ta  b\n", "    a b\n", "\ta  c\n"],
])("two meanings are not taken for two formats of one: %s", async ([, path, base, ours, theirs], { expect }) => {
  for (const level of ["safe", "assist"] as const)
    for (const [one, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const)
      expect(await resolveFile({ level, path, base, ours: one, theirs: other })).toMatchObject({ kind: "declined" });
});

test("the same text on both sides is one meaning", async () => {
  const both = { base: "a\n", ours: "b\n", theirs: "b\n" };
  expect(await resolveFile({ level: "safe", path: "a.sh", ...both })).toMatchObject({ kind: "resolved", text: "b\n" });
});
