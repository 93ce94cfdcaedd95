import { expect, test } from "vitest";
import { live } from "./lives.ts";

test("five hundred random lives of a run: nothing lands before what it depends on, replay equals live, none is stuck", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 500; seed++) {
    const life = live(seed);
    expect(life.faults, `seed ${seed}`).toEqual([]);
    for (const one of life.seen) seen.add(one);
  }
  const wanted = [
    "waits",
    "eject-last",
    "block-last",
    "target moved",
    "undo",
    "rewind",
    "merged by hand",
    "replan",
    "kill",
    "retry",
    "unready",
  ];
  expect([...seen]).toEqual(expect.arrayContaining(wanted));
});
