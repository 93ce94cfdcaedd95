import { expect, test } from "vitest";
import { fuzz, fuzzJournal, targets } from "./hostile-input.ts";
import { fuzzTrees } from "./hostile-trees.ts";

const RUNS = Number(process.env["GRAFTWORK_FUZZ_RUNS"] ?? 100_000);

test.each(targets)(
  "hostile %s: no crash, nothing outside of the folder, no long block",
  async (target) => {
    const longest = await fuzz(target, RUNS);
    process.stdout.write(`${target}: ${RUNS} texts, the longest took ${longest.toFixed(1)} ms\n`);
    expect(longest).toBeGreaterThan(0);
  },
  1_800_000,
);

test("hostile journal lines: refused by name", () => {
  fuzzJournal(RUNS);
  process.stdout.write(`journal lines: ${RUNS}\n`);
  expect(RUNS).toBeGreaterThan(0);
}, 1_800_000);

test("hostile trees: each comes out below its folder, or is refused", async () => {
  const { together, alone, refused } = await fuzzTrees(RUNS);
  process.stdout.write(`trees: ${together} came out, ${alone} went alone, ${refused} of those were refused\n`);
  expect(together + alone).toBe(RUNS);
}, 3_600_000);
