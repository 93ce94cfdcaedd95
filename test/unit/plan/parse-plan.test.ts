import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { GraftworkError } from "../../../src/domain/index.ts";
import { parsePlan } from "../../../src/plan/index.ts";
import { planOf, refusal, task } from "./plan-fixture.ts";

const parse = (text: string) => parsePlan(text, { path: "plan.yaml" });
const template = readFileSync(fileURLToPath(new URL("../../../templates/plan.yaml", import.meta.url)), "utf8");

describe("a good plan", () => {
  test("may have a check that begins with comment lines, or that is `true`", () => {
    const { verification } = parse('verification: ["# what it does\\nnpm test", "true", "echo # said"]\ntasks: [{id: a}]');
    expect(verification.map(({ run }) => run)).toEqual(["# what it does\nnpm test", "true", "echo # said"]);
  });

  test("gives every key its place", () => {
    const text = `
version: 1
name: checkout
base: main
protect: relaxed
verification:
  - npm run lint
  - [npm, test]
  - { name: types, run: [npx, tsc], timeout: 90s, history: true }
tasks:
  - id: types
    title: Shared types
    description: |
      Do [[[[ it "well
    files: [./src/types.ts, src/lib/]
    depends_on: []
    work_type: BACKEND
    contention: EXCLUSIVE
    resources: [port 3000]
    agent: codex
    verification: [make check]
    timeout: 30m
    retries: 0
  - id: "007"
    files: a.ts
    depends_on: types
`;
    const check = { timeoutMs: 600_000, history: false };
    expect(parse(text)).toEqual({
      version: 1,
      name: "checkout",
      base: "main",
      protect: "relaxed",
      verification: [
        { ...check, name: "npm run lint", run: "npm run lint" },
        { ...check, name: "npm test", run: ["npm", "test"] },
        { name: "types", run: ["npx", "tsc"], timeoutMs: 90_000, history: true },
      ],
      tasks: [
        task("types", {
          title: "Shared types",
          description: 'Do [[[[ it "well\n',
          files: ["src/types.ts", "src/lib/**"],
          workType: "BACKEND",
          contention: "EXCLUSIVE",
          resources: ["port 3000"],
          agent: "codex",
          verification: [{ ...check, name: "make check", run: "make check" }],
          timeoutMs: 1_800_000,
          retries: 0,
        }),
        task("007", { files: ["a.ts"], dependsOn: ["types"] }),
      ],
    });
  });

  test.for<[what: string, text: string]>([
    ["the least there can be", "tasks: [{id: a}]"],
    ["JSON, indented with tabs", '{\n\t"tasks": [\n\t\t{"id": "a"}\n\t]\n}'],
    ["a mark at the beginning and lines ended as on Windows", "\ufefftasks:\r\n  - id: a\r\n"],
    ["keys without values", "name:\nbase:\nverification:\ntasks:\n  - id: a\n    files:\n    depends_on:\n    timeout:\n"],
    ["an editor's key", '$schema: "x.json"\ntasks: [{id: a}]'],
  ])("may be %s", ([, text]) => {
    expect(parse(text)).toEqual({ ...planOf(task("a")), name: "plan" });
  });

  test("takes its name from its file", () => {
    expect(parsePlan("tasks: [{id: a}]", { path: "docs/checkout.plan.yml" }).name).toBe("checkout");
  });

  test("makes a task EXCLUSIVE that names resources and does not say", () => {
    const [a, b] = parse("tasks: [{id: a, resources: port 1}, {id: b, resources: port 1, contention: FREE}]").tasks;
    expect([a?.contention, b?.contention]).toEqual(["EXCLUSIVE", "FREE"]);
  });

  test("may share lists by aliases", () => {
    const { tasks } = parse("tasks:\n  - {id: a, files: &f [x.ts, y.ts]}\n  - {id: b, files: *f}\n");
    expect(tasks[1]?.files).toEqual(["x.ts", "y.ts"]);
  });

  test("names a long check by its beginning", () => {
    const [check] = parse(`verification: ["echo one\\necho two", "${"x".repeat(80)}"]\ntasks: [{id: a}]`).verification;
    expect(check?.name).toBe("echo one…");
    expect(check?.run).toBe("echo one\necho two");
  });

  test("is the template", () => {
    expect(parse(template).tasks.map(({ id, contention, files }) => [id, contention, files[0]])).toEqual([
      ["types", "FREE", "src/types.ts"],
      ["summary", "FREE", "src/checkout/summary/**"],
      ["payment", "FREE", "src/checkout/payment/**"],
      ["migrate-orders", "EXCLUSIVE", "migrations/**"],
    ]);
  });
});

describe("a bad plan is refused with its place", () => {
  test.for<[text: string, because: string]>([
    ["", "1:1 the document must be a map, not empty"],
    ["[]", "1:1 the document must be a map, not a list"],
    ["name: x", "1:1 `tasks` is missing"],
    ["tasks: []", "1:8 `tasks` has no tasks"],
    ["tasks: [[]]", "1:9 `tasks[0]` must be a map, not a list"],
    ["tasks: {a: 1}", "1:8 `tasks` must be a list, not a map"],
    ["version: 2\ntasks: [{id: a}]", "1:10 `version` must be 1"],
    ["protect: loose\ntasks: [{id: a}]", '1:10 `protect` must be strict or relaxed, not "loose"'],
    ["tasks: [{id: 007}]", '1:14 `id` must be text: YAML reads 007 as the number 7, so quote it: "007"'],
    ["tasks: [{id: true}]", '1:14 `id` must be text: YAML reads true as the boolean true, so quote it: "true"'],
    ["tasks: [{id: ~}]", "1:14 `id` must be text, not empty"],
    ["tasks: [{id: a b}]", '1:14 `id` "a b" is not usable'],
    ["tasks: [{id: a..b}]", '1:14 `id` "a..b" is not usable'],
    ["tasks: [{id: a}, {id: a}]", "1:23 `a` is the id of two tasks"],
    ["tasks: [{id: a}, {id: A}]", "1:23 `A` and `a` differ only in case"],
    ["tasks: [{id: a, titel: x}]", '1:17 unknown key "titel" (did you mean `title`?)'],
    ["schedule: groups\ntasks: [{id: a}]", '1:1 unknown key "schedule"'],
    ["tasks: [{id: a, __proto__: {x: 1}}]", '1:17 unknown key "__proto__"'],
    ["tasks: [{id: a, constructor: 1}]", '1:17 unknown key "constructor"'],
    ["tasks: [{id: a, <<: {title: b}}]", '1:17 unknown key "<<"'],
    [
      "tasks: [{id: login}, {id: b, depends_on: [logn]}]",
      "1:43 `b` depends on `logn`, which is no task of this plan (did you mean `login`?)",
    ],
    ["tasks: [{id: a, depends_on: [a]}]", "1:30 `a` depends on itself"],
    ["tasks: [{id: a, depends_on: b}, {id: b, depends_on: [a]}]", "1:29 a cycle of dependencies: a -> b -> a"],
    ["tasks: [{id: a, work_type: backend}]", "(did you mean `BACKEND`?)"],
    ["tasks: [{id: a, contention: FRE}]", '1:29 `contention` must be FREE or EXCLUSIVE, not "FRE" (did you mean `FREE`?)'],
    ["tasks: [{id: a, timeout: 30}]", "1:26 `timeout` must be a duration such as 500ms, 90s, 30m or 1h, not the number 30"],
    ["tasks: [{id: a, timeout: 0s}]", '1:26 `timeout` must be a duration such as 500ms, 90s, 30m or 1h, not "0s"'],
    ["tasks: [{id: a, timeout: 40d}]", '1:26 `timeout` must be a duration such as 500ms, 90s, 30m or 1h, not "40d"'],
    ["tasks: [{id: a, retries: -1}]", "1:26 `retries` must be a whole number from 0 to 100"],
    ["tasks: [{id: a, files: [/etc/passwd]}]", "1:25 `files[0]` must be relative to the repository"],
    ["tasks: [{id: a, files: [a/../../b]}]", "1:25 `files[0]` must stay inside the repository"],
    ["tasks: [{id: a, files: ['!a.ts']}]", "1:25 `files[0]` must name files to write"],
    ["tasks: [{id: a, files: ['src\\\\a.ts']}]", "1:25 `files[0]` must be written with `/`, without backslashes"],
    ["tasks: [{id: a, files: {x: 1}}]", "1:24 `files` must be text, not a map"],
    ["verification: npm test\ntasks: [{id: a}]", '1:15 `verification` must be a list, not "npm test"'],
    ["verification: [[]]\ntasks: [{id: a}]", "1:16 `verification[0]` must name a program"],
    ['verification: ["# npm test"]\ntasks: [{id: a}]', "1:16 `verification[0]` runs nothing: it has only comment lines"],
    ['verification: ["\\n # a\\n\\t# b\\n"]\ntasks: [{id: a}]', "1:16 `verification[0]` runs nothing: it has only comment lines"],
    ['verification: [" \\n\\t"]\ntasks: [{id: a}]', "1:16 `verification[0]` must not be empty"],
    ['verification: [[" ", a]]\ntasks: [{id: a}]', "1:16 `verification[0]` must name a program"],
    ['tasks: [{id: a, verification: [{run: "#"}]}]', "1:38 `verification[0].run` runs nothing: it has only comment lines"],
    ["verification: [{run: a, tiemout: 5m}]\ntasks: [{id: a}]", '1:25 unknown key "tiemout" (did you mean `timeout`?)'],
    ["verification: [{name: a}]\ntasks: [{id: a}]", "1:16 `verification[0].run` is missing"],
    ['tasks: [{id: a, description: "x\\0y"}]', "1:30 `description` must not hold a NUL character"],
  ])("%j", ([text, because]) => {
    expect(refusal(() => parse(text))).toContain(because.startsWith("(") ? because : `plan.yaml:${because}`);
  });

  test("with every finding at once, in the order of the text, and in the details", () => {
    const text = "tasks:\n  - id: a\n    titel: x\n    timeout: 5\n    depends_on: [nope]\n  - id: A\n    depends_on: [A]\nx: 1\n";
    try {
      parse(text);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof GraftworkError)) throw error;
      expect(error.exitCode).toBe(2);
      expect(error.because.split("\n").map((line) => /:(\d+):/.exec(line)?.[1])).toEqual(["3", "4", "5", "6", "7", "8"]);
      expect(error.details["findings"]).toHaveLength(6);
      expect(error.details["findings"]).toContainEqual({
        line: 3,
        column: 5,
        path: "tasks[0].titel",
        message: 'unknown key "titel" (did you mean `title`?)',
      });
    }
  });

  test("spells out each cycle once, however long", () => {
    const text = `tasks: [${Array.from({ length: 40 }, (_, i) => `{id: t${i}, depends_on: [t${(i + 1) % 40}]}`).join(", ")}, {id: x, depends_on: [y]}, {id: y, depends_on: [x, t3]}]`;
    const lines = refusal(() => parse(text)).split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/a cycle of dependencies: t0 -> t1 -> .* -> … 21 more -> t0$/);
    expect(lines[1]).toMatch(/a cycle of dependencies: x -> y -> x$/);
  });

  test("does not repaint the terminal with what it quotes", () => {
    const because = refusal(() => parse('tasks: [{id: "a\\e[2Jb\\r\\u202e"}]'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
    expect(because).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});
