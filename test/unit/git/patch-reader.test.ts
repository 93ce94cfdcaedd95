import { describe, expect, test } from "vitest";
import { objectReader } from "../../../src/git/object-reader.ts";
import { type AddedText, patchReader } from "../../../src/git/patch-reader.ts";

const MIB = 2 ** 20;

/** What a reader tells of an answer that comes in chunks of this size. */
function told(answer: string, size: number): AddedText[] {
  const all: AddedText[] = [];
  const reader = patchReader((added) => all.push(added));
  for (let at = 0; at < answer.length; at += size) reader.read(answer.slice(at, at + size));
  reader.end();
  return all;
}

const patchOf = (line: string): string => `diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-old\n+${line}\n+last\n`;

describe("a patch", () => {
  test.each([1, 7, 1000])("in chunks of %i letters gives the names and the added lines", (size) => {
    const merge = "diff --cc m\n@@@ -1,1 -1,1 +1,3 @@@\n- one\n -two\n++both\n+ left\n +right\n\\ No newline at end of file\n";
    const all = told(`${patchOf("new")}\n${merge}diff --git "a/x\\t\\"y" "b/x\\t\\"y"\n@@ -0,0 +1 @@ diff --git a/no b/no\n++ a\n`, size);
    const by = new Map<string | null, string[]>();
    for (const { path, text } of all) by.set(path, [...(by.get(path) ?? []), ...text.split("\n")]);
    expect([...by]).toEqual([
      ["f", ["f", "new", "last"]],
      ["m", ["m", "both", "left", "right"]],
      ['x\t"y', ['x\t"y', "+ a"]],
    ]);
  });

  test.each(["-", " ", "\0", "@@ -1 +1 @@ ", "diff --git a/x b/x ", "\\"])("has no signs in the middle of a long line of %j", (filler) => {
    const line = `${filler.repeat(Math.ceil((3 * MIB) / filler.length))} key at the end`;
    const all = told(patchOf(line), 2 ** 16);
    expect(new Set(all.map(({ path }) => path))).toEqual(new Set(["f"]));
    expect(all.some(({ text }) => text.includes("key at the end"))).toBe(true);
    expect(all.at(-1)?.text).toContain("last");
  });

  test("has a long line that is taken off left out to its end", () => {
    const line = `-${"+".repeat(3 * MIB)} gone`;
    expect(told(`diff --git a/f b/f\n@@ -1 +1 @@\n${line}\n+new\n`, 2 ** 16).map(({ text }) => text)).toEqual(["f", "new"]);
  });

  test("has a name of any size read in time", () => {
    const name = " b/".repeat(MIB);
    const from = performance.now();
    const [first] = told(`diff --git a/${name}x b/${name}y\n@@ -0,0 +1 @@\n+a\n`, 2 ** 16);
    expect(first?.path).toBe("a file with a very long name");
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  test("has no secret torn between two parts of a line", () => {
    for (const before of [MIB - 20, MIB - 10, MIB - 1, MIB, 2 * MIB - 2 ** 12 - 10])
      expect(
        told(patchOf(`${"x".repeat(before)}SECRET-OF-TWENTY-ONE-${"y".repeat(2 * MIB)}`), 2 ** 16).some(({ text }) =>
          text.includes("SECRET-OF-TWENTY-ONE-"),
        ),
      ).toBe(true);
  });
});

describe("objects", () => {
  const answerOf = (texts: readonly string[]): Buffer =>
    Buffer.concat(texts.map((text) => Buffer.from(`${"a".repeat(40)} commit ${Buffer.byteLength(text)}\n${text}\n`)));

  test.each([1, 3, 4096])("are read whole in chunks of %i bytes, whatever they hold", (size) => {
    const texts = ["", "tree 1\n\nno line's end", "\0\n", `x\n${"b".repeat(40)} commit 3\nabc\n`, "ümlaut"];
    const all: string[] = [];
    const reader = objectReader((text) => all.push(text));
    const answer = answerOf(texts);
    for (let at = 0; at < answer.length; at += size) reader.read(answer.subarray(at, at + size));
    expect(all).toEqual(texts.map((text) => `${text}\n`));
    expect(reader.count()).toBe(texts.length);
  });

  test("that are large come in parts which overlap", () => {
    const all: string[] = [];
    const reader = objectReader((text) => all.push(text));
    const text = `${"m".repeat(MIB - 5)}SECRET-OF-TWENTY-ONE-${"n".repeat(MIB)}`;
    const answer = answerOf([text]);
    for (let at = 0; at < answer.length; at += 2 ** 16) reader.read(answer.subarray(at, at + 2 ** 16));
    expect(all.length).toBeGreaterThan(1);
    expect(all.some((part) => part.includes("SECRET-OF-TWENTY-ONE-"))).toBe(true);
  });

  test("do not count if git has none of that name", () => {
    const reader = objectReader(() => undefined);
    reader.read(Buffer.from(`${"a".repeat(40)} missing\n`));
    expect(reader.count()).toBe(0);
  });
});
