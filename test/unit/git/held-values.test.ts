import { expect, test } from "vitest";
import { heldValues } from "../../../src/git/held-values.ts";

const oid = (letter: string): string => letter.repeat(40);

test("every value of a reflog counts as held, but for one that was put back", () => {
  const log = [
    `${oid("a")} main@{4} commit: mine`,
    `${oid("b")} main@{3} graftwork: put back`,
    `${oid("c")} main@{2} update by an agent`,
    `${oid("b")} main@{1} graftwork: land r`,
    "",
  ].join("\n");
  expect(heldValues(log)).toEqual({
    held: [
      { oid: oid("a"), since: 4, made: true },
      { oid: oid("b"), since: 3, made: true },
    ],
    putBack: new Set([oid("c")]),
  });
});

test("lines that are no entries are passed over", () => {
  expect(heldValues("warning: something\n")).toEqual({ held: [], putBack: new Set() });
});
