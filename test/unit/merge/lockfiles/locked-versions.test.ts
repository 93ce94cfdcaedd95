import { describe, expect, test } from "vitest";
import { lockDrift, lockedVersions } from "../../../../src/merge/lockfiles/locked-versions.ts";

const WANTED = { "@scope/a": ["1.0.0"], b: ["2.0.0", "3.0.0"] };

const LOCKFILES = {
  "package-lock.json": JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { name: "p", version: "9.9.9" },
      "node_modules/@scope/a": { version: "1.0.0" },
      "node_modules/b": { version: "2.0.0" },
      "node_modules/@scope/a/node_modules/b": { version: "3.0.0" },
    },
  }),
  "old/package-lock.json": JSON.stringify({
    lockfileVersion: 1,
    dependencies: { "@scope/a": { version: "1.0.0", dependencies: { b: { version: "3.0.0" } } }, b: { version: "2.0.0" } },
  }),
  "pnpm-lock.yaml": `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      b:
        specifier: ^2.0.0
        version: 2.0.0

packages:

  '@scope/a@1.0.0':
    resolution: {integrity: sha512-a}

  b@2.0.0:
    resolution: {integrity: sha512-b}

  b@3.0.0(c@1.0.0):
    resolution: {integrity: sha512-c}

snapshots:

  other@7.0.0: {}
`,
  "old/pnpm-lock.yaml": `lockfileVersion: '6.0'

packages:

  /@scope/a@1.0.0:
    resolution: {integrity: sha512-a}
    dev: false

  /b@2.0.0:
    resolution: {integrity: sha512-b}

  /b@3.0.0(c@1.0.0):
    resolution: {integrity: sha512-c}
`,
  "yarn.lock": `# yarn lockfile v1


"@scope/a@^1.0.0", "@scope/a@~1.0.0":
  version "1.0.0"
  resolved "https://registry.example/a.tgz#abc"
  dependencies:
    b "^3.0.0"

b@^2.0.0:
  version "2.0.0"
  resolved "https://registry.example/b.tgz"

b@^3.0.0:
  version "3.0.0"
`,
  "berry/yarn.lock": `__metadata:
  version: 8
  cacheKey: 10

"@scope/a@npm:^1.0.0, @scope/a@npm:~1.0.0":
  version: 1.0.0
  resolution: "@scope/a@npm:1.0.0"
  dependencies:
    b: "npm:^3.0.0"
  linkType: hard

"b@npm:^2.0.0":
  version: 2.0.0
  linkType: hard

"b@npm:^3.0.0":
  version: 3.0.0
  linkType: hard
`,
};

test.each(Object.entries(LOCKFILES))("the versions in %s", (path, text) => {
  const found = lockedVersions(path, text);
  expect(Object.fromEntries([...(found ?? [])].map(([name, versions]) => [name, [...versions].sort()]))).toEqual(WANTED);
});

test("a lockfile that cannot be read has no versions", () => {
  expect(lockedVersions("package-lock.json", "<<<<<<< ours\n{}")).toBeUndefined();
});

describe("drift", () => {
  const side = (versions: Record<string, string[]>) => new Map(Object.entries(versions).map(([name, list]) => [name, new Set(list)]));
  const base = side({ a: ["1.0.0"], b: ["1.0.0"] });
  test.each([
    ["both sides' changes together", side({ a: ["2.0.0"], b: ["1.0.0"], c: ["1.0.0"] }), []],
    ["a package that nobody changed", side({ a: ["2.0.0"], b: ["1.1.0"], c: ["1.0.0"] }), ["b changed, and neither side had changed it"]],
    ["a version that nobody locked", side({ a: ["2.1.0"], b: ["1.0.0"], c: ["1.0.0"] }), ["a 2.1.0 was locked by neither side"]],
    [
      "a package that came from nowhere",
      side({ a: ["2.0.0"], b: ["1.0.0"], d: ["1.0.0"] }),
      ["d changed, and neither side had changed it"],
    ],
    ["a package that one side dropped", side({ a: ["2.0.0"], b: ["1.0.0"] }), []],
  ])("%s", (_, merged, wanted) => {
    const ours = side({ a: ["2.0.0"], b: ["1.0.0"] });
    const theirs = side({ a: ["1.0.0"], b: ["1.0.0"], c: ["1.0.0"] });
    expect(lockDrift(base, ours, theirs, merged)).toEqual(wanted);
  });
});
