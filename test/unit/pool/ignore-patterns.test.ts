import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isNamed, parseIgnore } from "../../../src/pool/ignore-patterns.ts";
import { hermeticEnv, tempRepo, writeFiles } from "../../fixtures/index.ts";

const PATHS = [
  ".env",
  ".env.local",
  "a b",
  "a/.env",
  "a/b/.env",
  "a/b/c.txt",
  "a/c.txt",
  "ab",
  "b/.env.local",
  "config/local.json",
  "config/secret/key.pem",
  "config/secret/x/key.txt",
  "deep/config/local.json",
  "#hash",
  "!bang",
  "[x]",
  "x",
  "x+y",
  "(z)",
  "{q}",
  "end ",
  "z]",
];

/** Patterns as people write them, and the corners of the format. */
const TEXTS = [
  ".env",
  ".env*",
  "/.env",
  "*.local",
  "config/",
  "config",
  "/config/secret/",
  "secret/",
  "config/local.json",
  "**/local.json",
  "**/.env",
  "config/**",
  "a/**/.env",
  "a/**/c.txt",
  "a/*/c.txt",
  "**",
  "*",
  "/*",
  "*/",
  "a**b",
  "?",
  "x[+]y",
  "[!x]",
  "[^x]",
  "[a-x]",
  "[]x]",
  "z[]]",
  "[x",
  "[z-a]",
  "a*a*a*a*a*a*b",
  "\\[x\\]",
  "\\#hash",
  "#hash",
  "\\!bang",
  "(z)",
  "{q}",
  "x+y",
  "end\\ ",
  "a b   ",
  ".env*\n!.env.local",
  "config/\n!config/local.json",
  "config/*\n!config/local.json",
  "*\n!/x",
  "\n\n  \n# a remark\r\n.env\r\n",
  "/",
  "!",
  "a/b",
  "/a/b/",
  "b/",
  "a/**",
  "**/b/**",
  "config/**/key*",
  "a/**b/.env",
  "x\\",
];

test("the patterns mean what they mean to git", () => {
  const repo = tempRepo({ files: {} });
  repo.git("rm", "-q", "README.md");
  writeFiles(repo.dir, Object.fromEntries(PATHS.map((path) => [path, ""])));
  for (const text of TEXTS) {
    const file = join(repo.parent, "patterns");
    writeFiles(repo.parent, { patterns: `${text}\n` });
    const told = spawnSync("git", ["ls-files", "-z", "--others", "--ignored", `--exclude-from=${file}`], {
      cwd: repo.dir,
      encoding: "utf8",
      env: hermeticEnv(),
    }).stdout.split("\0");
    const rules = parseIgnore(text);
    expect([text, PATHS.filter((path) => isNamed(rules, path))]).toEqual([text, PATHS.filter((path) => told.includes(path))]);
  }
});

test("a pattern with many stars costs no more than its length times the path's", () => {
  const rules = parseIgnore(`${"*a".repeat(60)}*b\n${"**/".repeat(60)}b\n${"[".repeat(5_000)}\n`);
  expect(isNamed(rules, `${"a".repeat(250)}/${"a/".repeat(500)}x`)).toBe(false);
});
