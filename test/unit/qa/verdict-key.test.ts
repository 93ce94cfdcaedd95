import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CheckEntry, checkOf, type JudgedCheck } from "../../../src/domain/index.ts";
import { type KeyParts, verdictKey } from "../../../src/qa/verdict-key.ts";
import { tempFolder } from "../../fixtures/index.ts";

const shared = (entry: CheckEntry): JudgedCheck => ({ check: checkOf(entry), skip: null, standing: "shared" });
const parts: KeyParts = {
  checks: [shared("npm test")],
  environment: { PATH: "/usr/bin:/bin", LANG: "C" },
  allowScripts: ["a", "b"],
  base: "1",
  label: null,
  commits: ["1", "2"],
};

test("the key is the same for the same things, in whatever order they were named", () => {
  const key = verdictKey(parts);
  expect(key).toMatch(/^[0-9a-f]{32}$/);
  expect(verdictKey({ ...parts, environment: { LANG: "C", PATH: "/usr/bin:/bin" }, allowScripts: ["b", "a"] })).toBe(key);
});

test("commits count only if a check reads history", () => {
  expect(verdictKey({ ...parts, commits: ["3"] })).toBe(verdictKey(parts));
  const history = { ...parts, checks: [shared({ run: "npm test", history: true })] };
  expect(verdictKey({ ...history, commits: ["3"] })).not.toBe(verdictKey(history));
});

test.for<[what: string, change: Partial<KeyParts>]>([
  ["another command", { checks: [shared("npm run test")] }],
  ["another limit", { checks: [shared({ name: "npm test", run: "npm test", timeout: 5 })] }],
  ["text in place of argv", { checks: [shared({ name: "npm test", run: ["npm", "test"] })] }],
  ["one check more", { checks: [...parts.checks, shared("true")] }],
  ["another standing of a check", { checks: [{ ...shared("npm test"), standing: "own" }] }],
  ["another base", { base: "2" }],
  ["a label that something reads", { label: "train" }],
  ["a value of the environment", { environment: { ...parts.environment, LANG: "de" } }],
  ["an allowed script", { allowScripts: ["a"] }],
  ["other programs on the PATH", { environment: { ...parts.environment, PATH: "/nowhere" } }],
])("the key changes with %s", ([, change]) => {
  expect(verdictKey({ ...parts, ...change })).not.toBe(verdictKey(parts));
});

test("the key changes with the file of a toolchain on the PATH", () => {
  const folder = tempFolder("tools");
  const environment = { ...parts.environment, PATH: folder };
  const without = verdictKey({ ...parts, environment });
  writeFileSync(join(folder, "cargo"), "#!/bin/sh\n", { mode: 0o755 });
  const first = verdictKey({ ...parts, environment });
  writeFileSync(join(folder, "cargo"), "#!/bin/sh\n# newer\n");
  expect(new Set([without, first, verdictKey({ ...parts, environment })]).size).toBe(3);
});
