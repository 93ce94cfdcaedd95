import { expect, test } from "vitest";
import { checkOf } from "../../../src/domain/index.ts";
import { type KeyParts, verdictKey } from "../../../src/qa/verdict-key.ts";

const parts: KeyParts = {
  checks: [checkOf("npm test")],
  environment: { PATH: "/usr/bin:/bin", LANG: "C" },
  allowScripts: ["a", "b"],
  commits: ["1", "2"],
};

test("the key is the same for the same things, in whatever order they were named", () => {
  const key = verdictKey(parts);
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(verdictKey({ ...parts, environment: { LANG: "C", PATH: "/usr/bin:/bin" }, allowScripts: ["b", "a"] })).toBe(key);
});

test("commits count only where a check reads history", () => {
  expect(verdictKey({ ...parts, commits: ["3"] })).toBe(verdictKey(parts));
  const history = { ...parts, checks: [checkOf({ run: "npm test", history: true })] };
  expect(verdictKey({ ...history, commits: ["3"] })).not.toBe(verdictKey(history));
});

test.for<[what: string, change: Partial<KeyParts>]>([
  ["another command", { checks: [checkOf("npm run test")] }],
  ["another limit", { checks: [checkOf({ name: "npm test", run: "npm test", timeout: 5 })] }],
  ["text in place of argv", { checks: [checkOf({ name: "npm test", run: ["npm", "test"] })] }],
  ["one check more", { checks: [...parts.checks, checkOf("true")] }],
  ["a value of the environment", { environment: { ...parts.environment, LANG: "de" } }],
  ["an allowed script", { allowScripts: ["a"] }],
  ["other programs on the PATH", { environment: { ...parts.environment, PATH: "/nowhere" } }],
])("the key changes with %s", ([, change]) => {
  expect(verdictKey({ ...parts, ...change })).not.toBe(verdictKey(parts));
});
