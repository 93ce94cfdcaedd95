import { expect, test } from "vitest";
import { installPlan } from "../../../src/checkout/index.ts";
import { type Files, tempFolder, writeFiles } from "../../fixtures/index.ts";

const manifest = JSON.stringify({ dependencies: { a: "1" } });

test.for<[what: string, files: Files, command: string | undefined]>([
  ["no manifest", { "a.txt": "" }, undefined],
  ["a manifest that wants nothing", { "package.json": "{}" }, undefined],
  ["npm's lock file", { "package.json": "{}", "package-lock.json": "{}" }, "npm ci"],
  ["pnpm's lock file", { "package.json": "{}", "pnpm-lock.yaml": "" }, "pnpm install --frozen-lockfile --ignore-scripts --ignore-pnpmfile"],
  ["yarn's first lock file", { "package.json": "{}", "yarn.lock": "# yarn lockfile v1\n" }, "yarn install --frozen-lockfile"],
  [
    "yarn's later lock file",
    { "package.json": "{}", "yarn.lock": "# generated\n\n__metadata:\n  version: 8\n" },
    "yarn install --immutable",
  ],
  ["bun's lock file", { "package.json": "{}", "bun.lock": "" }, "bun install --frozen-lockfile"],
  ["no lock file", { "package.json": manifest }, "npm install --no-package-lock"],
  ["a manifest that nobody can read", { "package.json": "{" }, "npm install --no-package-lock"],
])("%s", ([, files, command]) => {
  const dir = tempFolder();
  writeFiles(dir, files);
  const plan = installPlan(dir);
  expect(plan?.argv.join(" ").slice(0, command?.length)).toBe(command);
  if (plan !== undefined) expect(plan.argv.some((word) => /^(?:ci|--ignore-scripts|--mode=skip-build)$/.test(word))).toBe(true);
});
