import { describe, expect, test } from "vitest";
import { pathBytes, pathText, plainPath } from "../../../src/git/path-text.ts";

describe("names of files as text", () => {
  test("bytes that are no UTF-8 come back as they were, through JSON too", () => {
    for (let first = 0; first < 256; first++)
      for (const rest of [[], [0x80], [0xff], [0x41], [0x82, 0xac], [0xa0, 0x80], [0x9f, 0x98, 0x80]]) {
        const bytes = Buffer.from([0x61, first, ...rest, 0x7a]);
        const text = JSON.parse(JSON.stringify(pathText(bytes))) as string;
        expect(Buffer.from(pathBytes(text))).toEqual(bytes);
      }
  });

  test("names that are UTF-8 stay as they are", () => {
    for (const name of ["a/b.txt", "ünï/😀", "\ufffd", "new\nline"]) {
      expect(pathText(Buffer.from(name))).toBe(name);
      expect(pathBytes(name)).toBe(name);
    }
  });

  test("a name of our own for one shows the bytes", () => {
    expect(plainPath(pathText(Buffer.from("a/n\xe9", "latin1")))).toBe("a/n%E9");
  });
});
