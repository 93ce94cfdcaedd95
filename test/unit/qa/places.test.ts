import { describe, expect, test } from "vitest";
import { type Claim, mayGo, overlapped } from "../../../src/qa/places.ts";

const process = { pid: 1, startTime: "1", bootId: "b", host: "h" };
/** `a+` is a shared place that is held, `A+` one alone; without the plus they wait. */
const claimsOf = (text: string): Claim[] =>
  text.split(" ").map((one) => ({
    id: one.charAt(0).toLowerCase(),
    process,
    kind: one.charAt(0) === one.charAt(0).toLowerCase() ? "shared" : "alone",
    held: one.endsWith("+"),
  }));
const whoMayGo = (text: string): string =>
  claimsOf(text)
    .filter((one) => !one.held && mayGo(claimsOf(text), one.id))
    .map(({ id }) => id)
    .join("");

describe("who may go", () => {
  test.for([
    ["a", "a", "a first one"],
    ["a+ b c", "bc", "shared ones beside each other"],
    ["a+ B", "", "nobody alone beside a shared one"],
    ["B", "b", "one alone if nobody else is there"],
    ["a+ B c", "", "no shared one that comes after one who waits to be alone"],
    ["a+ c B", "c", "a shared one that came before"],
    ["B+ c D", "", "nobody beside one who is alone"],
    ["c B", "c", "the earlier one first, so that shared ones do not wait for ever either"],
    ["A B", "a", "one alone at a time"],
    ["b+ A+", "", "nobody twice"],
  ] as const)("%s: %s (%s)", ([text, expected]) => {
    expect(whoMayGo(text)).toBe(expected);
  });

  test("is somebody, whatever the order, as long as nobody holds a place", () => {
    const words = ["a", "B", "c", "D"];
    for (const first of words)
      for (const second of words.filter((one) => one !== first))
        for (const third of words.filter((one) => one !== first && one !== second))
          expect(whoMayGo(`${first} ${second} ${third}`)).not.toBe("");
  });

  test("is nobody who has made no claim", () => {
    expect(mayGo(claimsOf("a+"), "z")).toBe(false);
  });
});

test.for([
  [{ others: 0, given: 3 }, { others: 0, given: 3 }, false],
  [{ others: 1, given: 3 }, { others: 0, given: 3 }, true],
  [{ others: 0, given: 3 }, { others: 1, given: 4 }, true],
  [{ others: 0, given: 3 }, { others: 0, given: 4 }, true],
] as const)("two looks tell whether another verification ran in between: %j, %j: %s", ([before, after, expected]) => {
  expect(overlapped(before, after)).toBe(expected);
});
