import { expect, test } from "vitest";
import { fuzz, fuzzJournal, targets } from "../faults/hostile-input.ts";

// A sample; `npm run test:faults` has all of it.
test.each(targets)("hostile %s: no crash and nothing outside of the folder", async (target) => {
  expect(await fuzz(target, 500)).toBeGreaterThan(0);
});

test("hostile journal lines are refused by name", () => {
  expect(() => fuzzJournal(300)).not.toThrow();
});
