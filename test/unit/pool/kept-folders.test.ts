import { expect, test } from "vitest";
import { isDependencyFolder, soundFolders } from "../../../src/pool/kept-folders.ts";

test.for<[keep: string[], tracked: string[], kept: string[]]>([
  [["/node_modules/"], [], ["/node_modules/"]],
  [["/node_modules/"], ["src/node_modules/x", "node_modules.txt"], ["/node_modules/"]],
  [["/node_modules/"], ["node_modules/x/index.js"], []],
  [["/node_modules/"], ["node_modules"], []],
  [["/gone/", "/target/"], ["targets/a"], ["/target/"]],
  [["/packages/app/node_modules/", "/.venv/"], ["packages/app/index.js"], ["/packages/app/node_modules/", "/.venv/"]],
])("of %j with %j tracked, %j stay", ([keep, tracked, kept]) => {
  expect(soundFolders(keep, (path) => path !== "gone", tracked)).toEqual(kept);
});

test.for<[folder: string, expected: boolean]>([
  ["/node_modules/", true],
  ["/packages/app/node_modules/", true],
  ["/.venv/", true],
  ["/vendor/bundle/", true],
  ["/target/", false],
  ["/.cache/", false],
])("%s holds programs of others: %s", ([folder, expected]) => {
  expect(isDependencyFolder(folder)).toBe(expected);
});
