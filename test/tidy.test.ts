import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Exceptions, problemsOf } from "./tidy/rules.ts";
import { blank, importsOf, type Source } from "./tidy/scan.ts";
import { readTable } from "./tidy/table.ts";

const EXCEPTIONS: Exceptions = {
  writers: {
    "src/state/disk.ts": "the door to the file system: a failpoint before and after each call",
    "src/state/read-file.ts": "opens files, to read them",
    "src/subprocess/capped-log.ts": "logs, which no promise rests on",
    "src/subprocess/proc.ts": "opens files of /proc, to read them",
    "src/subprocess/failpoint.ts": "the failpoints' own log",
    "src/checkout/remove-tree.ts": "deletes fresh checkouts without blocking the program; nothing of a user's is in them",
  },
  doors: {
    "node:child_process": ["subprocess"],
    "simple-git": ["git"],
    "proper-lockfile": ["state"],
    commander: ["cli"],
    listr2: ["cli"],
    picocolors: ["cli", "report"],
  },
  readers: {
    "src/state/read-file.ts": "the door: regular files only, with a limit",
    "src/subprocess/proc.ts": "the kernel's files",
    "src/subprocess/process-group.ts": "the kernel's files",
    "src/subprocess/identity.ts": "the kernel's files",
    "src/plan/display-width.ts": "asks how wide a letter is",
    "src/git/standing.ts": "chooses a line that git can search for",
  },
  long: {},
};

const root = fileURLToPath(new URL("..", import.meta.url));
const architecture = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");

function sourcesBelow(folder: string): Source[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .map((path) => ({ path: `${folder}/${path}`, text: readFileSync(join(root, folder, path), "utf8") }));
}

describe("the sources", () => {
  test("keep to ARCHITECTURE.md and to the rules of the house", () => {
    const problems = problemsOf([...sourcesBelow("src"), ...sourcesBelow("test")], readTable(architecture), EXCEPTIONS);
    expect(problems.join("\n")).toBe("");
  });

  test("start no program and change no file without a failpoint before and after", () => {
    const text = (path: string) => readFileSync(join(root, path), "utf8");
    const calls = [...text("src/state/disk.ts").matchAll(/^export const \w+: typeof (\w+) = watched\("(\w+)", (\w+)\);$/gm)];
    expect(calls.length).toBe(text("src/state/disk.ts").split("\nexport const").length - 1);
    expect(calls.filter(([, type, name, call]) => type !== name || name !== call)).toEqual([]);
    const starters = sourcesBelow("src")
      .filter(({ text }) => /\bspawn\(/.test(text))
      .map(({ path }) => path);
    expect(starters).toEqual(["src/subprocess/run-command.ts"]);
    for (const phase of ["spawn", "started", "done.spawn"]) expect(text(starters[0] ?? "")).toContain(`failpoint(\`${phase}.`);
  });

  test("have no exception that nothing needs", () => {
    const lines = (path: string) =>
      existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8").trimEnd().split("\n").length : 0;
    expect(Object.keys(EXCEPTIONS.long).filter((path) => lines(path) <= 300)).toEqual([]);
  });
});

describe("the table of ARCHITECTURE.md", () => {
  test("has arrows to rows above only, so it has no circle", () => {
    const table = readTable(architecture);
    const order = [...table.keys()];
    for (const [module, may] of table) {
      if (module === "cli" || module === "mcp") continue;
      expect([...may].filter((other) => order.indexOf(other) >= order.indexOf(module))).toEqual([]);
    }
  });

  test("is refused where it names a module that it has no row for", () => {
    const head = "| module | responsibility | may import |\n|---|---|---|\n";
    expect(() => readTable(`${head}| \`a\` | x | \`b\` |`)).toThrow('cannot read the imports "`b`"');
    expect(() => readTable("no table")).toThrow("has no table");
  });
});

describe("each rule can fail", () => {
  const table = readTable(`
| module | responsibility | may import |
|---|---|---|
| \`domain\` | words | nothing |
| \`state\` | files | \`domain\` |
| \`git\`, \`pool\` | two | \`domain\`, \`state\` |
| \`run\` | joins | everything above |
| \`cli\` | the terminal | everything |
`);
  const face = (module: string) => ({ path: `src/${module}/index.ts`, text: 'export const a = "b";' });
  const check = (...sources: Source[]) => problemsOf(sources, table, { ...EXCEPTIONS, long: { "src/pool/long.ts": "a table" } });
  const one = (path: string, text: string) => check({ path, text });

  test.for<[problem: string, path: string, text: string]>([
    [
      "src/domain/a.ts:2: state is banned here, use what the table of ARCHITECTURE.md gives domain: nothing",
      "src/domain/a.ts",
      '\nimport { x } from "../state/index.ts";',
    ],
    ["src/domain/a.ts:1: state is banned here", "src/domain/a.ts", 'const x = await import("../state/index.ts");'],
    ["src/domain/a.ts:1: state is banned here", "src/domain/a.ts", 'export * from "../state/index.ts";'],
    ["src/domain/a.ts:1: state is banned here", "src/domain/a.ts", 'import type { A } from "../state/index.ts";'],
    ["src/pool/a.ts:1: git is banned here", "src/pool/a.ts", 'import {\n  a,\n  b,\n} from "../git/index.ts";'],
    [
      "src/pool/a.ts:1: src/state/store.ts is banned here, use src/state/index.ts",
      "src/pool/a.ts",
      'import { a } from "../state/store.ts";',
    ],
    ["own index.ts is banned here, use the file itself", "src/pool/a.ts", 'import { a } from "./index.ts";'],
    ["an import of test/fixtures/index.ts is banned here", "src/pool/a.ts", 'import { a } from "../../test/fixtures/index.ts";'],
    ["src/extra/a.ts:1: the module extra is banned here", "src/extra/a.ts", ""],
    ["src/loose.ts:1: a file outside a module is banned here", "src/loose.ts", ""],
    ["node:child_process is banned here, use src/subprocess", "src/pool/a.ts", 'import { spawn } from "node:child_process";'],
    ["child_process is banned here, use src/subprocess", "src/pool/a.ts", 'import { spawn } from "child_process";'],
    ["simple-git is banned here, use src/git", "src/pool/a.ts", 'const { simpleGit } = await import("simple-git");'],
    ["writeFileSync of node:fs is banned here, use src/state", "src/run/a.ts", 'import { existsSync, writeFileSync as w } from "node:fs";'],
    ["rm of node:fs is banned here", "src/run/a.ts", 'import { rm } from "node:fs/promises";'],
    ["readFileSync of node:fs is banned here, use readBytes", "src/run/a.ts", 'import { readFileSync } from "node:fs";'],
    ["a path joined to a folder is banned here, use below", "src/run/a.ts", "const a = join(root, change.path);"],
    ["a path joined to a folder is banned here, use below", "src/run/a.ts", "const a = join(folder(b), path);"],
    ["is banned here, use cleanText or cleanLine", "src/run/a.ts", "const a = b.replace(/\\p{Cc}/gu, c);"],
    ["is banned here, use cleanText or cleanLine", "src/run/a.ts", "stripVTControlCharacters(a);"],
    ["a namespace import of node:fs is banned here, use named imports", "src/state/a.ts", 'import * as fs from "node:fs";'],
    ["a default import of node:fs is banned here", "src/state/a.ts", 'import fs from "node:fs";'],
    ["src/pool/a.ts:3: process.stdout is banned here", "src/pool/a.ts", "\n\nprocess.stdout.write(a);"],
    ["process.argv is banned here", "src/pool/a.ts", "const a = process.argv;"],
    ["console is banned here", "src/pool/a.ts", "console.log(1);"],
    ["an import of node:process is banned here", "src/pool/a.ts", 'import { stdout } from "node:process";'],
    ["src/cli/a.ts:1: process.exit is banned here", "src/cli/a.ts", "process.exit(1);"],
    ["a default export is banned here, use a named export", "src/pool/a.ts", "export default 1;"],
    ["an enum is banned here", "src/pool/a.ts", "export const enum A { b }"],
    ["a namespace is banned here", "src/pool/a.ts", "declare namespace A {}"],
    ["any is banned here, use unknown", "src/pool/a.ts", "const a = `${b as any}`;"],
    ["test/a.test.ts:1: any is banned here", "test/a.test.ts", "const a: Map<string, any> = b;"],
    ["vi.mock is banned here, use an argument", "test/a.test.ts", 'vi.mock("../src/a.ts");'],
    ["test.skip is banned here, use context.skip(reason)", "test/a.test.ts", 'test.skip("later", () => {});'],
    ["src/pool/a.ts:301: more than 300 lines are banned here", "src/pool/a.ts", "a;\n".repeat(301)],
    ["src/pool/utils.ts:1: the name utils is banned here", "src/pool/utils.ts", ""],
    ["the name helpers is banned here", "src/pool/helpers/a.ts", ""],
    ["the name badName is banned here, use kebab-case", "src/pool/badName.ts", ""],
  ])("%s", ([problem, path, text], { expect }) => {
    const problems = one(path, text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  test("a circle of files, named with its way round", () => {
    const [a, b] = ["a", "b"].map((name, at, all) => ({ path: `src/pool/${name}.ts`, text: `import { x } from "./${all[1 - at]}.ts";` }));
    expect(check(a!, b!)).toEqual([
      "src/pool/b.ts:1: a circle of imports is banned here, use a third file: src/pool/a.ts > src/pool/b.ts > src/pool/a.ts",
    ]);
  });

  test("and what is right passes", () => {
    const good = [
      'import { a } from "../domain/index.ts";\nimport { b } from "./b.ts";',
      '// process.exit, console.log and any in a comment\n/* vi.mock */ const a = "process.exit(1)";',
      'const a = /[/"]any/.test(b) ? `any ${c} process.exit` : AbortSignal.any([d]);',
      'import { lstat, stat } from "node:fs/promises";\nconst b = join(a, name) + join(path, "x");',
      "const a = process.pid;",
    ];
    const files = good.map((text, at) => ({ path: `src/pool/f${at}.ts`, text }));
    expect(
      check(...files, face("domain"), { path: "src/pool/b.ts", text: "" }, { path: "src/pool/long.ts", text: "a;\n".repeat(400) }),
    ).toEqual([]);
    expect(
      one("src/cli/a.ts", 'process.stdout.write(process.argv[2]); process.exitCode = 2; const x = await import("../run/index.ts");'),
    ).toEqual([]);
    expect(one("src/index.ts", 'export { a } from "./run/index.ts";')).toEqual([]);
    expect(one("test/a.test.ts", 'test("x", (context) => context.skip("no tmux"));')).toEqual([]);
  });
});

describe("the scanner", () => {
  test("blanks strings, templates, regular expressions and comments, and keeps every line", () => {
    const text = 'a("x // y", `p ${q({ r: "s" })} t`, /[/]"/g) / 2; // end\nb /* c\n d */ e';
    const code = blank(text, { strings: false });
    expect(code.replaceAll(/ +/g, " ")).toBe('a(" ", ` q({ r: " " })} , / g) / 2; \nb \n e');
    expect(code).toHaveLength(text.length);
    expect(blank(text, { strings: true }).replaceAll(/ +/g, " ")).toBe('a("x // y", `p ${q({ r: "s" })} t`, /[/]"/g) / 2; \nb \n e');
  });

  test("finds the names of an import", () => {
    expect(importsOf({ path: "a.ts", text: 'import { type A, b as c } from "x";\nimport "y";' })).toEqual([
      { specifier: "x", line: 1, names: ["A", "b"], form: "static" },
      { specifier: "y", line: 2, names: [], form: "static" },
    ]);
  });
});
