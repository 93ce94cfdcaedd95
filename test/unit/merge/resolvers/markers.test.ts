import fc from "fast-check";
import { expect, test } from "vitest";
import { newMarkers } from "../../../../src/merge/resolvers/proof/markers.ts";

const HOW_TO = "git writes\n\n<<<<<<< HEAD\nyours\n=======\ntheirs\n>>>>>>> topic\n";

test.for<[what: string, base: string, ours: string, theirs: string, merged: string, left: string[]]>([
  ["a whole set that no side had", "a\n", "b\n", "c\n", "<<<<<<< x\nb\n=======\nc\n>>>>>>> y\n", ["<<<<<<< x", "=======", ">>>>>>> y"]],
  ["half a set", "a\n", "b\n", "c\n", "b\n=======\nc\n", ["======="]],
  ["a base section", "a\n", "b\n", "c\n", "b\n||||||| 1a2b3c\na\n", ["||||||| 1a2b3c"]],
  ["lines with a carriage return", "a\r\n", "b\r\n", "c\r\n", "<<<<<<< x\r\nb\r\nc\r\n", ["<<<<<<< x"]],
  ["the longer ones of a merge of merges", "a\n", "b\n", "c\n", "<<<<<<<<< x\nb\nc\n", ["<<<<<<<<< x"]],
  ["a text about merging that both sides have", HOW_TO, `${HOW_TO}b\n`, `c\n${HOW_TO}`, `c\n${HOW_TO}b\n`, []],
  ["one that a side alone has", "a\n", `a\n${HOW_TO}`, "b\n", `b\n${HOW_TO}`, []],
  ["one more line of it than both sides want", HOW_TO, `${HOW_TO}b\n`, `c\n${HOW_TO}`, `c\n${HOW_TO}=======\nb\n`, ["======="]],
  ["a heading that each side added", "a\n", "One\n=======\na\n", "a\nTwo\n=======\n", "One\n=======\na\nTwo\n=======\n", []],
  ["no marker: longer underlines, comparisons, arrows", "", "", "", "========\na <<<<<<<b\n<<<<<<<b\n>>>>>>\n", []],
])("%s", ([, base, ours, theirs, merged, left]) => {
  expect(newMarkers(base, ours, theirs, merged)).toEqual(left);
});

test("whichever side is taken whole, nothing of it is left of a conflict", () => {
  const line = fc.constantFrom("a", "=======", "<<<<<<< x", ">>>>>>> y", "||||||| z");
  const text = fc.array(line).map((lines) => lines.map((one) => `${one}\n`).join(""));
  fc.assert(
    fc.property(text, text, text, (base, ours, theirs) => {
      expect([newMarkers(base, ours, theirs, ours), newMarkers(base, ours, theirs, theirs)]).toEqual([[], []]);
    }),
  );
});
