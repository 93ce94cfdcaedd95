import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ERROR_EXITS } from "../src/domain/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const about: { version: string; scripts: Record<string, string>; dependencies: object; devDependencies: object } = JSON.parse(
  read("package.json"),
);

/** Each `### CODE` of errors.md with the exit code of the `## Exit N` it stands under, and its text. */
function documentedErrors(): Map<string, { exit: number; text: string }> {
  const found = new Map<string, { exit: number; text: string }>();
  for (const section of read("docs/errors.md").split(/^## /m).slice(1)) {
    const exit = Number(/^Exit (\d+)/.exec(section)?.[1]);
    for (const entry of section.split(/^### /m).slice(1)) {
      const [code = "", ...lines] = entry.split("\n");
      expect(found.has(code), `${code} is documented twice`).toBe(false);
      found.set(code, { exit, text: lines.join("\n").trim() });
    }
  }
  return found;
}

describe("docs/errors.md", () => {
  test("explains every code, no other, each under its exit code", () => {
    const documented = Object.fromEntries([...documentedErrors()].map(([code, { exit }]) => [code, exit]));
    expect(documented).toEqual({ ...ERROR_EXITS });
  });

  test("says something about each", () => {
    const thin = [...documentedErrors()].filter(([, { text }]) => text.length < 60).map(([code]) => code);
    expect(thin).toEqual([]);
  });
});

describe("every page", () => {
  test.for(pages)("%s: its links lead somewhere", (page, { expect }) => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "");
    const dead = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(page), link)));
    expect(dead).toEqual([]);
  });

  test.for(pages)("%s: the npm scripts it names exist", (page, { expect }) => {
    const named = [...read(page).matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map((match) => match[1] ?? "");
    expect(named.filter((script) => !Object.hasOwn(about.scripts, script))).toEqual([]);
  });
});

test("CHANGELOG.md has a place for what is not released, and the released version on top", () => {
  const versions = [...read("CHANGELOG.md").matchAll(/^## \[([^\]]+)\]/gm)].map((match) => match[1]);
  expect(versions[0]).toBe("Unreleased");
  if (versions.length > 1) expect(versions[1]).toBe(about.version);
});

test("docs/dependencies.md has a word on each dependency, and on no other", () => {
  const named = [...read("docs/dependencies.md").matchAll(/^### `([^`]+)`/gm)].map((match) => match[1]);
  const used = Object.keys({ ...about.dependencies, ...about.devDependencies }).filter((name) => !name.startsWith("@types/"));
  expect([...named].sort()).toEqual(used.sort());
});

test("README.md's picture of the demo is a piece of its recorded output", () => {
  const picture = /```text\n([\s\S]*?)\n```/.exec(read("README.md"))?.[1] ?? "no picture";
  expect(read("docs/demo-output.txt")).toContain(picture);
});
