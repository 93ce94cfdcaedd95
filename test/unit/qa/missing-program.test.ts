import { expect, test } from "vitest";
import { missingHint, missingProgram } from "../../../src/qa/missing-program.ts";

const DIR = "/fresh/folder";
const file = (path: string, name = path) => ({ name, path });
const onPath = (name: string) => ({ name, path: null });

test.for<[output: string, expected: ReturnType<typeof missingProgram>]>([
  ["sh: 1: ./check.sh: not found", file("check.sh", "./check.sh")],
  ["/bin/sh: 1: tools/lint.sh: Permission denied", file("tools/lint.sh")],
  ["sh: 1: /fresh/folder/check.sh: not found", file("check.sh")],
  ["sh: 1: /opt/tool: not found", onPath("/opt/tool")],
  ["sh: 1: ../tool: not found", onPath("../tool")],
  ["sh: 1: vitest: not found", onPath("vitest")],
  ["bash: line 1: vitest: command not found", onPath("vitest")],
  ["./check.sh: line 3: ./tool.sh: No such file or directory", file("tool.sh", "./tool.sh")],
  ["zsh:1: command not found: vitest", onPath("vitest")],
  ["env: ‘node’: No such file or directory", onPath("node")],
  ["sh: suite.sh: No such file or directory", file("suite.sh", "./suite.sh")],
  ["sh: 0: Can't open suite.sh", file("suite.sh", "./suite.sh")],
  ["bash: ./x.sh: /usr/bin/nope: bad interpreter: No such file or directory", onPath("/usr/bin/nope")],
  ["sh: 0: Can't open suite/all.sh", file("suite/all.sh")],
  ["sh: 0: cannot open suite/all.sh: No such file", file("suite/all.sh")],
  ["some words\nsh: 1: foo: not found\nnpm error code 127\n", onPath("foo")],
  ["nothing that a shell would say", null],
])("the program is the one that the shell names: %s", ([output, expected]) => {
  expect(missingProgram("make all", output, DIR)).toEqual(expected);
});

test("without a word of the shell the program is the first of the check, if that is a file or a list", () => {
  expect(missingProgram("./check.sh --all 2>/dev/null", "", DIR)).toEqual(file("check.sh", "./check.sh"));
  expect(missingProgram(["tool", "a"], "", DIR)).toEqual(onPath("tool"));
  expect(missingProgram(["./tool"], "", DIR)).toEqual(file("tool", "./tool"));
  expect(missingProgram("exit 127", "", DIR)).toBeNull();
});

test.for([
  ['npm error Missing script: "lint"\nnpm error\n', ": package.json has no script `lint`"],
  [" ERR_PNPM_NO_SCRIPT  Missing script: lint", ": package.json has no script `lint`"],
  ['error Command "lint" not found.', ": package.json has no script `lint`"],
  ['error: Script not found "lint"', ": package.json has no script `lint`"],
  ["sh: 0: cannot open suite.sh: No such file", ": there is no file suite.sh"],
  ["sh: 0: cannot open /fresh/folder/a/suite.sh: No such file", ": there is no file a/suite.sh"],
  ["1 test failed", ""],
] as const)("what a failed check misses is told from its output: %s", ([output, expected]) => {
  expect(missingHint(output, DIR)).toBe(expected);
});
