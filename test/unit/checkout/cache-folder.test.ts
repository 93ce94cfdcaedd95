import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { roomsFolder } from "../../../src/checkout/cache-folder.ts";
import { removeTree } from "../../../src/checkout/remove-tree.ts";
import { tempFolder } from "../../fixtures/index.ts";

describe("a private folder", () => {
  test("is made for its user alone, and made so where it was there before", () => {
    const path = join(tempFolder(), "a", "qa");
    expect(statSync(roomsFolder(path)).mode & 0o777).toBe(0o700);
    chmodSync(path, 0o755);
    roomsFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  test("has no node_modules above its real path", () => {
    const dir = tempFolder();
    mkdirSync(join(dir, "real", "node_modules"), { recursive: true });
    symlinkSync(join(dir, "real"), join(dir, "link"));
    expect(() => roomsFolder(join(dir, "link", "qa"))).toThrow(`The folder ${join(dir, "real", "node_modules")} lies above`);
  });
});

describe("removing a tree", () => {
  test("takes links for links", async () => {
    const dir = tempFolder();
    mkdirSync(join(dir, "kept"));
    writeFileSync(join(dir, "kept", "a.txt"), "a");
    mkdirSync(join(dir, "tree"));
    symlinkSync(join(dir, "kept"), join(dir, "tree", "link"));
    await removeTree(join(dir, "tree"));
    expect(existsSync(join(dir, "kept", "a.txt"))).toBe(true);
    expect(existsSync(join(dir, "tree"))).toBe(false);
  });

  test("takes folders along that a check made read-only", async (context) => {
    if (process.getuid?.() === 0) context.skip("root may write everywhere");
    const dir = tempFolder();
    mkdirSync(join(dir, "tree", "locked"), { recursive: true });
    writeFileSync(join(dir, "tree", "locked", "a.txt"), "a");
    chmodSync(join(dir, "tree", "locked"), 0o500);
    await removeTree(join(dir, "tree"));
    expect(existsSync(join(dir, "tree"))).toBe(false);
  });
});
