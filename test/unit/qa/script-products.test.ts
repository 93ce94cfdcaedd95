import { describe, expect, test } from "vitest";
import { missingProductOf, scriptedPackages } from "../../../src/qa/script-products.ts";

const lock = JSON.stringify({
  lockfileVersion: 3,
  packages: {
    "": { hasInstallScript: true },
    "node_modules/better-sqlite3": { hasInstallScript: true },
    "node_modules/sqlite3": { hasInstallScript: true },
    "node_modules/a/node_modules/@swc/core": { hasInstallScript: true },
    "node_modules/plain": {},
  },
});

test("the packages with install scripts are read from the lock file", () => {
  expect(scriptedPackages(lock)).toEqual(["better-sqlite3", "sqlite3", "@swc/core"]);
  for (const other of ["", "{", "[]", '{"packages":null}', '{"packages":{"node_modules/x":null}}'])
    expect(scriptedPackages(other)).toEqual([]);
});

describe("a missing build product is seen", () => {
  test.for([
    ["Error: Could not locate the bindings file. Tried:\n → /q/node_modules/better-sqlite3/build/better_sqlite3.node", "better-sqlite3"],
    ["Cannot find module '../build/Release/node_sqlite3.node'\nRequire stack:\n- /q/node_modules/sqlite3/lib/x.js", "sqlite3"],
    ["@swc/core: native binding not found", "@swc/core"],
  ] as const)("%s", ([output, name]) => {
    expect(missingProductOf(output, lock, [])).toBe(name);
  });

  test.for([
    ["nothing built is spoken of", "1 test of sqlite3 failed"],
    ["the package has no such script", "Could not locate the bindings file of plain"],
    ["another package has a longer name", "bindings file of my-sqlite3"],
  ] as const)("not where %s", ([, output]) => {
    expect(missingProductOf(output, lock, [])).toBeUndefined();
  });

  test("not where the script was allowed, nor without a lock file", () => {
    expect(missingProductOf("bindings file of sqlite3", lock, ["sqlite3"])).toBeUndefined();
    expect(missingProductOf("bindings file of sqlite3", undefined, [])).toBeUndefined();
  });
});
