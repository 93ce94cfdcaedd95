import { existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemCode } from "../../../src/domain/index.ts";
import { mkdirSync } from "../../../src/state/disk.ts";
import { tempFolder } from "../../fixtures/index.ts";

const refusal = (path: string): string | undefined => {
  try {
    mkdirSync(path, { recursive: true });
    return undefined;
  } catch (error) {
    return systemCode(error);
  }
};

test("folders are made with those above them, and the first one made is answered; what is there stays", () => {
  const root = tempFolder("folders");
  const path = join(root, "a/b/c");
  expect(mkdirSync(path, { recursive: true, mode: 0o700 })).toBe(join(root, "a"));
  expect(statSync(join(root, "a/b")).mode & 0o777).toBe(0o700);
  expect(mkdirSync(path, { recursive: true })).toBeUndefined();
});

test("a file or a broken link on the way is an error", () => {
  const root = tempFolder("folders");
  writeFileSync(join(root, "file"), "");
  symlinkSync(join(root, "nowhere"), join(root, "broken"));
  expect([refusal(join(root, "file")), refusal(join(root, "file/x")), refusal(join(root, "broken"))]).toEqual([
    "EEXIST",
    "ENOTDIR",
    "EEXIST",
  ]);
});

test("a folder that makes no folders is an error, and no endless loop", (context) => {
  if (!existsSync("/proc/self")) context.skip("no /proc here");
  expect(refusal("/proc/no-such/folder")).toBe("ENOENT");
});
