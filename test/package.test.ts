import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Lock = { packages: Record<string, { resolved?: string; version?: string; optionalDependencies?: Record<string, string> }> };

const lockText = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
const lock: Lock = JSON.parse(lockText);

test("the lock file names no registry, so that each machine uses its own", () => {
  expect(Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
});

test("the lock file has the binaries of every platform, else npm ci refuses it (npm run lockfile puts them back)", () => {
  const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => lock.packages[`node_modules/${name}`] === undefined && lock.packages[`${path}/node_modules/${name}`] === undefined,
    ),
  );
  expect(missing).toEqual([]);
});

test("vitest and its coverage are one version: with two, vitest dies at start", () => {
  expect(lock.packages["node_modules/@vitest/coverage-v8"]?.version).toBe(lock.packages["node_modules/vitest"]?.version);
});
