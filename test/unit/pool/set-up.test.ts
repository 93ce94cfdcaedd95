import { expect, test } from "vitest";
import type { PoolContext } from "../../../src/pool/index.ts";
import { setUpKey } from "../../../src/pool/set-up.ts";
import { type Files, tempFolder, writeFiles } from "../../fixtures/index.ts";

const context = (setup: PoolContext["settings"]["setup"], env: Record<string, string> = {}): PoolContext =>
  ({ settings: { setup, env } }) as unknown as PoolContext;

function keyOf(setup: PoolContext["settings"]["setup"], files: Files, env: Record<string, string> = {}): string | null {
  const path = tempFolder();
  writeFiles(path, files);
  return setUpKey(context(setup, env), { id: "wt-1", path });
}

test.for<[file: string, counts: boolean]>([
  ["package-lock.json", true],
  ["requirements-dev.txt", true],
  ["uv.lock", true],
  ["Cargo.lock", true],
  ["go.sum", true],
  ["App.csproj", true],
  ["README.md", false],
  ["src/package.json", false],
])("with own commands, %s counts: %s", ([file, counts]) => {
  const [one, other] = ["1", "2"].map((text) => keyOf(["make"], { "a.txt": "", [file]: text }));
  expect(one === other).toBe(!counts);
});

test("the commands and their variables count, and nothing is to be set up with none", () => {
  const keys = [keyOf(["make"], {}), keyOf([["make"]], {}), keyOf(["make"], {}, { A: "1" }), keyOf("none", { "package.json": "{}" })];
  expect(new Set(keys).size).toBe(4);
  expect(keys.at(-1)).toBe(null);
  expect(keyOf("auto", { "a.txt": "" })).toBe(null);
});
