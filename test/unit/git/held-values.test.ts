import { expect, test } from "vitest";
import { heldValues } from "../../../src/git/held-values.ts";

const oid = (letter: string): string => letter.repeat(40);

test("every value of a reflog counts as held, but for one that was put back", () => {
  const log = [
    `${oid("a")} commit: mine`,
    `${oid("b")} graftwork: put back`,
    `${oid("c")} update by an agent`,
    `${oid("b")} land r`,
    "",
  ].join("\n");
  expect(heldValues(log)).toEqual([oid("a"), oid("b")]);
});

test("lines that are no entries are passed over", () => {
  expect(heldValues("warning: something\n")).toEqual([]);
});
