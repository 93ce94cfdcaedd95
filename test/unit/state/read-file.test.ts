import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readBelow } from "../../../src/git/index.ts";
import { readBytes, readText } from "../../../src/state/index.ts";
import { tempFolder } from "../../fixtures/index.ts";

const refused = expect.objectContaining({ code: "FILE_REFUSED" });

test("only regular files are read: a pipe, a device and a socket are named and refused at once", async () => {
  const folder = tempFolder("read");
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("file"), "text\n");
  symlinkSync(at("file"), at("link"));
  symlinkSync("/dev/zero", at("zero"));
  execFileSync("mkfifo", [at("pipe")]);
  const server = createServer().listen(at("socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  expect([readText(at("file")), readText(at("link")), readText(at("none")), readText(folder), readText(join(at("file"), "below"))]).toEqual(
    ["text\n", "text\n", undefined, undefined, undefined],
  );
  for (const name of ["zero", "pipe", "socket"]) {
    expect(() => readBytes(at(name))).toThrow(refused);
    expect(() => readBytes(at(name))).toThrow(at(name));
  }
  server.close();
});

test("a file larger than the cap is refused, without being read", () => {
  const file = join(tempFolder("read"), "large");
  writeFileSync(file, "12345");
  expect(readText(file, 5)).toBe("12345");
  expect(() => readText(file, 4)).toThrow(refused);
});

test("below a folder a link counts as what it leads to, if that is in the folder", () => {
  const folder = tempFolder("read");
  const outside = join(tempFolder("outside"), "secret");
  writeFileSync(outside, "secret\n");
  mkdirSync(join(folder, "in"));
  writeFileSync(join(folder, "in", "file"), "text\n");
  symlinkSync("in/file", join(folder, "near"));
  symlinkSync(outside, join(folder, "far"));
  symlinkSync("loop", join(folder, "loop"));
  symlinkSync("..", join(folder, "in", "up"));
  expect([readBelow(folder, "near")?.toString(), readBelow(folder, "in/up/near")?.toString(), readBelow(folder, "none")]).toEqual([
    "text\n",
    "text\n",
    undefined,
  ]);
  for (const path of ["far", "loop"]) expect(() => readBelow(folder, path)).toThrow(refused);
  expect(() => readBelow(folder, "../x")).toThrow(expect.objectContaining({ code: "TREE_UNSAFE" }));
});
