import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextOfTrain, trainLength } from "../../../src/merge/train-search.ts";

/** Lands what can land of branches of which some are bad; counts verifications, and how often somebody waited for some. */
function landAll(bad: readonly boolean[], odds: { slots: number; ejection: number }) {
  const landed: number[] = [];
  const ejected: number[] = [];
  let [runs, rounds] = [0, 0];
  let left = bad.map((_, index) => index);
  while (left.length > 0) {
    const train = left.slice(0, trainLength(odds));
    const [green, red] = [new Set<number>(), new Set<number>()];
    for (;;) {
      const next = nextOfTrain({ size: train.length, green, red }, odds);
      if (next.kind === "verify") {
        rounds += 1;
        runs += next.prefixes.length;
        expect(next.prefixes.length).toBeGreaterThan(0);
        expect(next.prefixes.length).toBeLessThanOrEqual(Math.max(1, odds.slots));
        for (const length of next.prefixes) {
          expect(green.has(length) || red.has(length)).toBe(false);
          (train.slice(0, length).some((index) => bad[index]) ? red : green).add(length);
        }
        continue;
      }
      const end = next.kind === "green" ? train.length : next.after;
      landed.push(...left.slice(0, end));
      ejected.push(...train.slice(end, end + 1));
      left = left.slice(Math.min(end + 1, train.length));
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

/** Verifications and rounds of many draws, on average. */
function average(size: number, odds: { slots: number; ejection: number }): { runs: number; rounds: number } {
  const draws = 1_000;
  let seed = 42;
  const random = (): number => (seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
  let [runs, rounds] = [0, 0];
  for (let draw = 0; draw < draws; draw++) {
    const bad = Array.from({ length: size }, () => random() < odds.ejection);
    const took = landAll(bad, odds);
    runs += took.runs / draws;
    rounds += took.rounds / draws;
  }
  return { runs, rounds };
}

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
    expect(average(size, { slots: 1, ejection }).runs).toBeLessThanOrEqual(known * 1.1);
  });
});

describe("on several slots it takes no more rounds than as many prefixes side by side (merging.md, section 2), within a tenth", () => {
  test.each([
    [8, 0.02, 8, 1.1],
    [8, 0.1, 4, 2.6],
    [8, 0.1, 8, 1.7],
    [16, 0.05, 4, 4.5],
    [16, 0.05, 8, 2.6],
    [16, 0.2, 4, 5.8],
    [32, 0.05, 4, 8.9],
    [32, 0.05, 8, 5.1],
    [32, 0.2, 4, 11.2],
  ])("%i branches, %d of them bad, %i slots", (size, ejection, slots, known) => {
    expect(average(size, { slots, ejection }).rounds).toBeLessThanOrEqual(known * 1.1);
  });
});
