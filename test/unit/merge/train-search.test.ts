import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextOfTrain } from "../../../src/merge/train-search.ts";

/** Lands what can land of branches of which some are bad; counts verifications, and how often somebody waited for some. */
function landAll(bad: readonly boolean[], odds: { slots: number; ejection: number }) {
  const landed: number[] = [];
  const ejected: number[] = [];
  let [runs, rounds] = [0, 0];
  for (let left = bad.map((_, index) => index); left.length > 0; ) {
    const [green, red] = [new Set<number>(), new Set<number>()];
    for (;;) {
      const next = nextOfTrain({ size: left.length, green, red }, odds);
      if (next.kind === "verify") {
        rounds += 1;
        runs += next.prefixes.length;
        expect(next.prefixes.length).toBeGreaterThan(0);
        expect(next.prefixes.length).toBeLessThanOrEqual(Math.max(1, odds.slots));
        for (const length of next.prefixes) {
          expect(green.has(length) || red.has(length)).toBe(false);
          (left.slice(0, length).some((index) => bad[index]) ? red : green).add(length);
        }
        continue;
      }
      const end = next.kind === "green" ? left.length : next.after;
      landed.push(...left.slice(0, end));
      ejected.push(...left.slice(end, end + 1));
      left = left.slice(end + 1);
      break;
    }
  }
  return { landed, ejected, runs, rounds };
}

test("all good branches land in their order, all bad ones are ejected, no prefix is verified twice", () => {
  const odds = fc.record({ slots: fc.integer({ min: 1, max: 30 }), ejection: fc.double({ min: 0.001, max: 0.9, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 40 }), odds, (bad, given) => {
      const { landed, ejected } = landAll(bad, given);
      expect(landed).toEqual(bad.flatMap((one, index) => (one ? [] : [index])));
      expect(ejected).toEqual(bad.flatMap((one, index) => (one ? [index] : [])));
    }),
  );
});

test("a green train costs one round, whatever the slots", () => {
  for (const slots of [1, 2, 8]) expect(landAll(Array(8).fill(false), { slots, ejection: 0.02 }).rounds).toBe(1);
});

describe("on one slot it takes no more verifications than halving with inference (merging.md, section 2), within a tenth", () => {
  test.each([
    [5, 0.05, 1.9],
    [5, 0.2, 3.9],
    [8, 0.02, 1.7],
    [8, 0.1, 4.2],
    [8, 0.2, 6.6],
    [8, 0.3, 8],
    [16, 0.05, 5.2],
    [16, 0.2, 14],
    [16, 0.5, 16],
    [32, 0.05, 10.8],
    [32, 0.2, 28.7],
  ])("%i branches, %d of them bad", (size, ejection, known) => {
    let seed = 42;
    const random = (): number => (seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
    let runs = 0;
    for (let draw = 0; draw < 2_000; draw++)
      runs += landAll(
        Array.from({ length: size }, () => random() < ejection),
        { slots: 1, ejection },
      ).runs;
    expect(runs / 2_000).toBeLessThanOrEqual(known * 1.1);
  });
});
