import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installDependencies, regenerateLockfile } from "../../../src/checkout/index.ts";
import { acquireSlot, existingStore, initPool, releaseSlot, requireSlot } from "../../../src/pool/index.ts";
import { setUp } from "../../../src/pool/set-up.ts";
import { hermeticEnv, tempFolder, WITH_DEPENDENCY, writeFiles } from "../../fixtures/index.ts";
import { lab } from "./lab.ts";

const MANIFEST = { name: "x", version: "1.0.0", bin: { git: "evil.sh" }, dependencies: { dep: "file:./dep" } };
const HOSTILE = {
  "dep/package.json": '{"name":"dep","version":"1.0.0"}',
  "evil.sh": "#!/bin/sh\necho evil\n",
  "package.json": JSON.stringify(MANIFEST),
};

/** A user's home whose npm has its programs in `npm-global/bin`. */
function homeWithPrograms(): { programs: () => string[]; parentEnv: Record<string, string> } {
  const home = tempFolder("home");
  const bin = join(home, "npm-global", "bin");
  mkdirSync(bin, { recursive: true });
  writeFiles(home, { ".npmrc": `prefix=${home}/npm-global\n` });
  return { programs: () => readdirSync(bin), parentEnv: { ...hermeticEnv(), HOME: home } };
}

test.for(["global=true\nforce=true\n", "location=global\n", "global=true\nlocation=global\nprefix=/tmp\n"])(
  "npm puts nothing into the user's programs with %j in the project",
  async (npmrc) => {
    const { programs, parentEnv } = homeWithPrograms();
    const dir = tempFolder("project");
    writeFiles(dir, { ...HOSTILE, ".npmrc": npmrc });
    const request = { dir, parentEnv, markers: {}, timeoutMs: 120_000 };
    expect(await installDependencies(request)).toMatchObject({ kind: "installed" });
    expect(readdirSync(join(dir, "node_modules"))).toContain("dep");
    writeFiles(dir, { "package-lock.json": JSON.stringify({ name: "x", version: "1.0.0", lockfileVersion: 3, packages: {} }) });
    expect(await regenerateLockfile(request, "package-lock.json")).toMatchObject({ kind: "made" });
    expect(await installDependencies(request)).toMatchObject({ kind: "installed" });
    expect(programs()).toEqual([]);
  },
);

test("settings of the user's own go on counting", async () => {
  const { parentEnv } = homeWithPrograms();
  const dir = tempFolder("project");
  writeFiles(dir, { "package.json": JSON.stringify({ dependencies: { "no-such-package-x": "1" } }) });
  const named = { ...parentEnv, npm_config_registry: "http://127.0.0.1:1/", npm_config_fetch_retries: "0" };
  const end = await installDependencies({ dir, parentEnv: named, markers: {}, timeoutMs: 120_000 });
  expect(end).toMatchObject({ kind: "failed", fault: "environment", excerpt: expect.stringContaining("127.0.0.1:1") });
});

test.for<[what: string, setup: "auto" | string[], files: Record<string, string>, why: string]>([
  ["npm's settings", "auto", { ".npmrc": "global=true\n" }, ".npmrc"],
  ["yarn's settings", "auto", { ".yarnrc.yml": '"plugins": [x.cjs]\n' }, ".yarnrc.yml"],
  ["npm's settings, with commands of the user's own", ["npm ci"], { ".npmrc": "global=true\n" }, ".npmrc"],
  ["another package manager's lockfile", "auto", { "package-lock.json": "{}", "npm-shrinkwrap.json": "{}" }, "lockfile of npm"],
])("a slot whose branch brings %s is not installed", async ([, setup, files, why]) => {
  const { context, repo } = await lab({ files: { "package.json": "{}", "yarn.lock": "" } }, { setup });
  const path = tempFolder("slot");
  writeFiles(path, { "package.json": "{}", "yarn.lock": "", ...files });
  const text = `nothing is installed: the branch has its own ${why}, which your checkout has not`;
  expect(await setUp(context, { id: "wt-1", path })).toEqual({ text, byWork: true });
  writeFiles(repo.dir, files);
  // No yarn is needed for the rest of this test.
  if (".yarnrc.yml" in files) return;
  // It stands in the user's checkout now, which the user was asked about.
  expect((await setUp(context, { id: "wt-1", path }))?.text ?? "").not.toContain("nothing is installed");
});

test.each([
  ["such settings", { ".npmrc": "global=true\n" }, "nothing is installed: the branch has its own .npmrc"],
  ["a broken lockfile", { "package-lock.json": "{" }, ".npm ci "],
])("a task whose own branch brings %s goes on without an install, and the next task has one", async (_, files, why) => {
  const { context, repo, said } = await lab({ files: { ...WITH_DEPENDENCY, ".gitignore": "node_modules/\n" } });
  await initPool(context, { size: 1 });
  repo.git("switch", "-q", "-c", "auto/a");
  repo.commit(files);
  repo.git("switch", "-q", "main");
  const dependencies = () => requireSlot(existingStore(context.repository).read().state, "wt-1").dependencies;
  await acquireSlot(context, { task: "a", branch: "auto/a" });
  expect(said.join("\n")).toMatch(new RegExp(`wt-1: not set up: ${why}.*; its agent goes on without`));
  expect(dependencies()).toBe(null);
  await releaseSlot(context, { name: "a" });
  await acquireSlot(context, { task: "b" });
  expect(dependencies()).not.toBe(null);
});

test("a lockfile below settings that nobody approved is not made anew", async () => {
  const dir = tempFolder("project");
  const below = Object.fromEntries(Object.entries(WITH_DEPENDENCY).map(([path, text]) => [`a/b/${path}`, text]));
  writeFiles(dir, { ...below, "a/.npmrc": "global=true\n" });
  const request = { dir, parentEnv: hermeticEnv(), markers: {}, timeoutMs: 120_000 };
  const end = await regenerateLockfile(request, "a/b/package-lock.json");
  expect(end).toEqual({ kind: "failed", reason: expect.stringContaining("a/.npmrc holds settings that nobody approved") });
});
