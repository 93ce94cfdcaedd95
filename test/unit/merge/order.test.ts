import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeOrder, type Weight } from "../../../src/merge/order.ts";

type Candidate = { task: string; dependsOn: string[] };

/** Tasks that depend on earlier ones, offered in any order, each with a weight or none. */
const offered = fc.integer({ min: 0, max: 12 }).chain((size) =>
  fc.record({
    candidates: fc
      .tuple(...Array.from({ length: size }, (_, n) => fc.subarray(Array.from({ length: n }, (_, before) => `t${before}`))))
      .map((all) => all.map((dependsOn, n): Candidate => ({ task: `t${n}`, dependsOn })))
      .chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
    weights: fc.dictionary(fc.constantFrom("t0", "t1", "t2", "t3", "t4"), fc.record({ conflicts: fc.nat(3), paths: fc.nat(3) })),
  }),
);

const weightsOf = (weights: Record<string, Weight>): Map<string, Weight> => new Map(Object.entries(weights));
const tasksOf = (order: readonly Candidate[]): string[] => order.map(({ task }) => task);

test("all candidates, each once, each after what it depends on; the same each time", () => {
  fc.assert(
    fc.property(offered, ({ candidates, weights }) => {
      const order = mergeOrder(candidates, weightsOf(weights));
      expect(tasksOf(order).sort()).toEqual(tasksOf(candidates).sort());
      const done = new Set<string>();
      for (const { task, dependsOn } of order) {
        expect(dependsOn.filter((id) => !done.has(id))).toEqual([]);
        done.add(task);
      }
      expect(mergeOrder(candidates, weightsOf(weights))).toEqual(order);
    }),
  );
});

test("without dependencies: fewest conflicts, then fewest paths, then as given", () => {
  fc.assert(
    fc.property(offered, ({ candidates, weights }) => {
      const free = candidates.map(({ task }) => ({ task, dependsOn: [] }));
      const weight = (task: string): Weight => weights[task] ?? { conflicts: 0, paths: 0 };
      const order = mergeOrder(free, weightsOf(weights)).map(({ task }) => ({ ...weight(task), given: tasksOf(free).indexOf(task) }));
      for (const [index, after] of order.slice(1).entries()) {
        const before = order[index] ?? after;
        const differs = before.conflicts - after.conflicts || before.paths - after.paths || before.given - after.given;
        expect(differs).toBeLessThan(0);
      }
    }),
  );
});

test("one that waits for a large task is not held up by others once that is in", () => {
  const candidates = [
    { task: "large", dependsOn: [] },
    { task: "small", dependsOn: ["large"] },
    { task: "disputed", dependsOn: [] },
  ];
  const weights = { large: { conflicts: 0, paths: 90 }, small: { conflicts: 0, paths: 1 }, disputed: { conflicts: 2, paths: 1 } };
  expect(tasksOf(mergeOrder(candidates, weightsOf(weights)))).toEqual(["large", "small", "disputed"]);
});

test("who depends on what is not offered is free; a circle does not hang", () => {
  expect(tasksOf(mergeOrder([{ task: "a", dependsOn: ["landed"] }]))).toEqual(["a"]);
  const circle = [
    { task: "a", dependsOn: ["b"] },
    { task: "b", dependsOn: ["a"] },
  ];
  expect(tasksOf(mergeOrder(circle))).toEqual(["a", "b"]);
});
