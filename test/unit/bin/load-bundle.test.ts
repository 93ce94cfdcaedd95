import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { tempFolder } from "../../fixtures/index.ts";

/** Loads a small bundle in a process of its own, as `bin/` does, and keeps what was compiled. */
function load(dir: string): string {
  const program = `
    const { loadBundle } = require(${JSON.stringify(resolve("bin/load-bundle.js"))});
    const { exports, keepCompiled } = loadBundle(${JSON.stringify(join(dir, "cli.cjs"))}, "status");
    process.stdout.write(exports.answer());
    keepCompiled();`;
  return execFileSync(process.execPath, ["-e", program], { encoding: "utf8", timeout: 10_000 });
}

function bundle(): { dir: string; cache: () => string } {
  const dir = tempFolder("bundle");
  const functions = Array.from({ length: 500 }, (_, n) => `function f${n}(a) { return a + ${n}; }`).join("\n");
  const calls = Array.from({ length: 500 }, (_, n) => `f${n}(1)`).join("+");
  const body = `(function (exports) {\n${functions}\nexports.answer = () => String(${calls});\n})`;
  writeFileSync(join(dir, "cli.cjs"), `// ${"a".repeat(64)}\n${body}\n`);
  return { dir, cache: () => join(dir, readdirSync(dir).find((name) => name.endsWith(".cache")) ?? "none") };
}

test("a code cache that is damaged, cut off or no file is passed over and made anew", () => {
  const { dir, cache } = bundle();
  const answer = load(dir);
  const sound = readFileSync(cache());
  for (const at of [0, 4, 40, 400, Math.floor(sound.length / 2), sound.length - 20]) {
    const damaged = Buffer.from(sound);
    damaged.fill(0x41, at, at + 16);
    writeFileSync(cache(), damaged);
    expect(load(dir)).toBe(answer);
  }
  for (const length of [0, 3, 4, 100]) {
    writeFileSync(cache(), sound.subarray(0, length));
    expect(load(dir)).toBe(answer);
  }
  const path = cache();
  rmSync(path);
  execFileSync("mkfifo", [path]);
  expect(load(dir)).toBe(answer);
  expect(readFileSync(path).length).toBeGreaterThan(1000);
});
