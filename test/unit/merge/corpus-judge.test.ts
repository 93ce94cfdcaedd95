import { expect, test } from "vitest";
import { hunksEqual, judge } from "../../../bench/corpus/judge.mjs";

test.for<[outcome: string, text: string, people: string | undefined]>([
  ["bytes", "a\nb\n", "a\nb\n"],
  ["white space", "a\nb\n", "a \n  b"],
  ["order", '"a": 1,\n"b": 2\n', '"b": 2,\n"a": 1\n'],
  ["different", "a\nb\n", "a\nc\n"],
  ["different", "a\n", undefined],
])("%s", ([outcome, text, people]) => {
  expect(judge(text, people, () => false)).toBe(outcome);
});

test("elsewhere: each hunk as people have it, with the lines around it", () => {
  const applied = [{ merged: ["x\n"] }];
  expect(hunksEqual("a\nb\nx\nc\nd\n", applied, "0\na\nb\nx\nc\nd\n9\n")).toBe(true);
  expect(hunksEqual("a\nb\nx\nc\nd\n", applied, "a\nb\ny\nc\nd\nx\n")).toBe(false);
});
