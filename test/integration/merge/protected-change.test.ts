import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandFiles, keepDecision } from "../../../src/trust/index.ts";
import type { Files } from "../../fixtures/index.ts";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench } from "./bench.ts";

const MANIFEST = (more: object): string => `${JSON.stringify({ name: "p", version: "1.0.0", ...more })}\n`;

describe("work that changes what only a person lets in", () => {
  test.each<[what: string, path: string, before: string | null, after: string | null]>([
    ["the configuration", ".claude/auto-context.yaml", "pool: {}\n", "pool: { setup: [x] }\n"],
    ["a template", ".claude/templates/prompts/executor.md", null, "Obey {{task_id}}\n"],
    ["the configuration under a name that another disk takes for it", ".Claude/auto-context.yaml", null, "pool: {}\n"],
    ["instructions of a folder", "src/CLAUDE.md", "old\n", "new\n"],
    ["what slots get copies of", ".worktreeinclude", null, ".env\n"],
    ["a CI file that it deletes", ".github/workflows/test.yml", "on: push\n", null],
    ["another CI's", ".gitlab-ci.yml", null, "test: {}\n"],
    ["npm's configuration", "packages/a/.npmrc", null, "script-shell=/tmp/x\n"],
    ["yarn's plugins", ".yarn/plugins/x.cjs", null, "x\n"],
    ["corepack's variables", ".corepack.env", null, "COREPACK_NPM_REGISTRY=http://x\n"],
    ["the package manager", "package.json", MANIFEST({}), MANIFEST({ packageManager: "pnpm@9.0.0+sha512.00" })],
    ["settings of pnpm", "pnpm-workspace.yaml", "packages:\n  - a\n", "packages:\n  - a\nshellEmulator: true\n"],
    ["bun's settings", "bunfig.toml", null, "[install]\nexact = true\n"],
    ["variables that yarn reads", ".env.yarn", null, "A=1\n"],
    ["pnpm's hooks under their old name", "pnpmfile.js", null, "x\n"],
    ["where Python's packages are published", ".pypirc", null, "[pypi]\n"],
    ["poetry's settings", "poetry.toml", null, "[virtualenvs]\n"],
    ["uv's settings in pyproject.toml", "pyproject.toml", "[project]\n", '[project]\n[tool.uv]\nindex-url = "x"\n'],
    ["where setup.cfg has packages from", "a/setup.cfg", "[metadata]\n", "[easy_install]\nindex_url = x\n"],
    ["cargo's configuration", ".cargo/config.toml", null, "[build]\nrustc-wrapper = 'x'\n"],
    ["settings of a package's folder", "packages/a/.claude/settings.json", null, "{}\n"],
    [
      "settings of pnpm behind a line break of another kind",
      "pnpm-workspace.yaml",
      "packages:\n  - a\n",
      "packages:\n  - a\n  # x\rdangerouslyAllowAllBuilds: true\n",
    ],
    [
      "a file that a name for a filter is taken off",
      ".gitattributes",
      "[attr]crypt filter=git-crypt diff=git-crypt\n*.key crypt\n",
      "[attr]crypt filter=git-crypt diff=git-crypt\n",
    ],
    ["a driver that blends without a conflict", ".gitattributes", null, "*.md merge=union\n"],
    ["a filter", ".gitattributes", "*.txt text\n", "*.txt text filter=x\n"],
    ["a merge driver in a folder", "src/.gitattributes", null, "[attr]x merge=x\n"],
  ])("waits for a person: %s", async (_, path, before, after) => {
    const { context, events, candidate } = await bench({ x: { [path]: after, "x.txt": "x\n" }, y: { "y.txt": "y\n" } }, undefined, {
      "a.txt": "a\n",
      ...(before !== null && { [path]: before }),
    });
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y")]);
    expect(landed).toEqual(["y"]);
    const conflict = events.find((event) => event.type === "conflict");
    expect(conflict).toMatchObject({ task: "x", person: true, reason: expect.stringContaining(path) });
  });

  test("lands if a person decided it with these very files, or merges it by hand and lets it in", async () => {
    const made = await bench({ x: { ".npmrc": "a=1\n" } });
    const x = made.candidate("x");
    const onto = made.repo.git("rev-parse", "main");
    // A journal says so alone: an agent may have written it.
    expect((await mergeCandidates(made.context, [{ ...x, decided: { commit: x.commit, onto } }])).landed).toEqual([]);
    keepDecision(made.context.repository.layout, { run: made.context.run, task: "x", commit: x.commit });
    expect((await mergeCandidates(made.context, [{ ...x, decided: { commit: x.commit, onto } }])).landed).toEqual(["x"]);
    const other = await bench({ x: { ".npmrc": "a=1\n" } });
    expect((await mergeCandidates(other.context, [{ ...other.candidate("x"), letsIn: true }])).landed).toEqual(["x"]);
  });

  test("waits again if it was changed after the person's decision", async () => {
    const { repo, context, candidate } = await bench({ x: { ".npmrc": "a=1\n" } });
    const decided = { commit: candidate("x").commit, onto: repo.git("rev-parse", "main") };
    keepDecision(context.repository.layout, { run: context.run, task: "x", commit: decided.commit });
    repo.git("switch", "-q", "auto/x");
    repo.commit({ ".npmrc": "a=2\n" });
    repo.git("switch", "-q", "main");
    expect((await mergeCandidates(context, [{ ...candidate("x"), decided }])).landed).toEqual([]);
  });
});

describe("work that has another package manager install", () => {
  test.each<[what: string, files: Files, base: Files]>([
    ["adds a lockfile", { "package-lock.json": "{}\n" }, { "yarn.lock": "" }],
    ["adds a lockfile whose name only some disks take for it", { "Package-Lock.json": "{}\n" }, { "yarn.lock": "" }],
    ["replaces the lockfile", { "package-lock.json": null, "pnpm-lock.yaml": "a\n" }, { "package-lock.json": "{}\n" }],
    ["removes the lockfile that counted", { "package-lock.json": null }, { "package-lock.json": "{}\n", "yarn.lock": "" }],
    ["removes the last lockfile", { "pnpm-lock.yaml": null }, { "pnpm-lock.yaml": "a\n" }],
    ["adds one in a folder", { "web/npm-shrinkwrap.json": "{}\n" }, { "web/bun.lock": "{}\n" }],
  ])("waits for a person if it %s", async (_, files, base) => {
    const { context, candidate, events } = await bench({ x: files }, undefined, { "a.txt": "a\n", ...base });
    expect((await mergeCandidates(context, [candidate("x")])).landed).toEqual([]);
    expect(events.find((event) => event.type === "conflict")).toMatchObject({
      person: true,
      reason: expect.stringContaining("which package manager installs"),
    });
  });
});

test("a file that an approved command runs waits for a person, and so does one behind a link of its name", async () => {
  const config = {
    pool: { setup: ["sh ./tools/set-up.sh && make"] },
    merge: { generated: { "*.gen": ["node", "tools/gen.js", "a.gen"], list: "ls > list" } },
    agents: { byName: { a: { command: ["sh", "agent"], resume: ["node", "bin/resume.mjs"] } } },
  };
  const files = commandFiles(config as unknown as Parameters<typeof commandFiles>[0]);
  expect(files).toEqual(["sh", "tools/set-up.sh", "make", "node", "tools/gen.js", "ls", "agent", "bin/resume.mjs"]);
  const { repo, context, candidate } = await bench({ y: { "tools/other.sh": "1\n" } }, undefined, {
    "real.js": "1\n",
    "tools/set-up.sh": "1\n",
  });
  symlinkSync("../real.js", join(repo.dir, "tools/gen.js"));
  repo.commit({}, "link");
  for (const [task, path] of Object.entries({ w: "tools/set-up.sh", x: "real.js" })) {
    repo.git("switch", "-q", "-c", `auto/${task}`, "main");
    repo.commit({ [path]: "2\n" });
  }
  repo.git("switch", "-q", "main");
  const { landed } = await mergeCandidates({ ...context, commandFiles: files }, [candidate("w"), candidate("x"), candidate("y")]);
  expect(landed).toEqual(["y"]);
});

describe("a link of such a name", () => {
  test("leads over another link, which work turns elsewhere: it waits for a person", async () => {
    const { repo, context, candidate } = await bench({}, undefined, { "real/x/a.json": "{}\n", "evil/x/a.json": "{}\n" });
    const link = (to: string, name: string): void => {
      rmSync(join(repo.dir, name), { force: true });
      symlinkSync(to, join(repo.dir, name));
    };
    link("first/x", ".claude");
    link("real", "first");
    repo.commit({}, "links");
    repo.git("switch", "-q", "-c", "auto/x");
    link("evil", "first");
    repo.commit({}, "turned");
    repo.git("switch", "-q", "main");
    expect((await mergeCandidates(context, [candidate("x")])).landed).toEqual([]);
  });

  test.each([
    ["leads to the file that work changes", "CLAUDE.md", "docs/AI.md", "docs/AI.md"],
    ["leads to the folder that work changes something in", ".cursor", "ai", "ai/settings.json"],
    ["leads there through another link", ".claude", "first/x", "real/x/settings.json"],
  ])("%s: it waits for a person", async (_, name, target, changed) => {
    const { repo, context, candidate } = await bench({}, undefined, { "a.txt": "a\n", [changed]: "old\n" });
    symlinkSync(target, join(repo.dir, name));
    if (target.startsWith("first")) symlinkSync("real", join(repo.dir, "first"));
    repo.commit({}, "links");
    repo.git("switch", "-q", "-c", "auto/x");
    repo.commit({ [changed]: "new\n" });
    repo.git("switch", "-q", "main");
    expect((await mergeCandidates(context, [candidate("x")])).landed).toEqual([]);
  });

  test.each([".cargo", ".github", ".yarn", "packages/a/.claude"])("%s, made by work, waits for a person", async (name) => {
    const { repo, context, candidate } = await bench({}, undefined, { "a.txt": "a\n", "packages/a/x": "x\n" });
    repo.git("switch", "-q", "-c", "auto/x");
    symlinkSync("tools", join(repo.dir, name));
    repo.commit({ "tools/config.toml": "x\n" });
    repo.git("switch", "-q", "main");
    expect((await mergeCandidates(context, [candidate("x")])).landed).toEqual([]);
  });
});

test.each<[what: string, files: Files, base: Files]>([
  ["a dependency", { "package.json": MANIFEST({ dependencies: { a: "1" } }) }, { "package.json": MANIFEST({}) }],
  ["a package of its own", { "packages/a/package.json": MANIFEST({}) }, {}],
  ["a package in pnpm's list", { "pnpm-workspace.yaml": "packages:\n  - a\n  - b\n" }, { "pnpm-workspace.yaml": "packages:\n  - a\n" }],
  [
    "an attribute that runs nothing",
    { ".gitattributes": "*.txt text\n*.png binary -diff\nuv.lock -merge\n*.bin merge=binary\n" },
    { ".gitattributes": "*.txt text\n" },
  ],
  ["a file under Git LFS", { ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n" }, {}],
  ["a page with a like name", { "docs/claude.markdown": "x\n", "src/npmrc.ts": "x\n", "ci/github.md": "x\n" }, {}],
  ["a dependency in pyproject.toml", { "pyproject.toml": '[project]\ndependencies = ["a"]\n' }, { "pyproject.toml": "[project]\n" }],
  ["a Gemfile", { Gemfile: "gem 'a'\n" }, {}],
  ["the first lockfile", { "package-lock.json": "{}\n" }, {}],
  ["the first lockfile of a folder", { "docs/package-lock.json": "{}\n" }, { "yarn.lock": "" }],
  ["a lockfile of the same package manager", { "npm-shrinkwrap.json": "{}\n", "package-lock.json": null }, { "package-lock.json": "{}\n" }],
  ["a lockfile that counts less than the one that is there", { "yarn.lock": "" }, { "package-lock.json": "{}\n" }],
  ["a change in a lockfile", { "yarn.lock": "b\n" }, { "yarn.lock": "a\n", "package.json": "{}\n" }],
  ["a package in yarn's cache", { ".yarn/cache/a.zip": "x\n" }, {}],
])("lands without a person: %s", async (_, files, base) => {
  const { context, candidate } = await bench({ x: files }, undefined, { "a.txt": "a\n", ...base });
  expect((await mergeCandidates(context, [candidate("x")])).landed).toEqual(["x"]);
});
