import { expect, test } from "vitest";
import { fuzz, fuzzJournal, targets } from "../faults/hostile-input.ts";
import { fuzzTrees } from "../faults/hostile-trees.ts";

// A sample; `npm run test:faults` has all of it.
test.each(targets)("hostile %s: no crash and nothing outside of the folder", async (target) => {
  expect(await fuzz(target, 500)).toBeGreaterThan(0);
});

test("hostile journal lines are refused by name", () => {
  expect(() => fuzzJournal(300)).not.toThrow();
});

test("hostile trees come out below their folder, or are refused", async () => {
  const { together, alone, refused } = await fuzzTrees(200);
  expect(together + alone).toBe(200);
  expect(refused).toBeGreaterThan(0);
});
