import { expect, test } from "vitest";
import { uninstalledManifests } from "../../../src/qa/uninstalled-manifests.ts";

const manifest = (...names: string[]) => JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, "1"])) });
const FILES: Readonly<Record<string, string>> = {
  "package.json": manifest("root-dep"),
  "app/package.json": manifest("dep"),
  "packages/one/package.json": JSON.stringify({ devDependencies: { "@x/tool": "1" } }),
  "packages/none/package.json": "{}",
  "packages/odd/package.json": "[",
  "app/node_modules/left/package.json": manifest("other"),
};

function named(failure: { command?: string; output?: string }, installed: readonly string[] = []): string[] {
  const files = { read: (path: string) => FILES[path], exists: (path: string) => installed.includes(path) };
  return uninstalledManifests(Object.keys(FILES), files, { command: "make", output: "", ...failure });
}

test.for<[what: string, failure: { command?: string; output?: string }, expected: string[]]>([
  ["the check goes into their folder", { command: "cd app && node t.js" }, ["app/package.json"]],
  ["the output names a file of their folder", { output: "at packages/one/src/a.js:1" }, ["packages/one/package.json"]],
  ["the output names a dependency of theirs", { output: "Error: Cannot find module '@x/tool'" }, ["packages/one/package.json"]],
  ["the failure names another word", { command: "apply", output: "deputy of the application" }, []],
])("manifests without their dependencies are found if %s", ([, failure, expected]) => {
  expect(named(failure)).toEqual(expected);
});

test("a manifest counts as installed if a folder above it has its dependencies, as in a workspace", () => {
  expect(named({ command: "cd app" }, ["app/node_modules/dep"])).toEqual([]);
  expect(named({ command: "cd app" }, ["node_modules/dep"])).toEqual([]);
  expect(named({ command: "cd packages/one" }, ["packages/node_modules/@x/tool"])).toEqual([]);
  expect(named({ command: "cd app" }, [".pnp.cjs"])).toEqual([]);
});
