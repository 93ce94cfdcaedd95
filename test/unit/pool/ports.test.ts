import fc from "fast-check";
import { expect, test } from "vitest";
import { portBases } from "../../../src/pool/ports.ts";

const size = fc.integer({ min: 1, max: 40 });
const slot = fc.integer({ min: 1, max: 256 });

test("every slot has a block of its own in the range, and shares it with no other slot", () => {
  fc.assert(
    fc.property(fc.string(), size, slot, slot, (repository, ports, one, other) => {
      const highest = Math.max(one, other);
      const [mine, theirs] = [one, other].map((n) => portBases(repository, ports, n, highest));
      expect(mine?.length).toBeGreaterThan(0);
      for (const base of mine ?? []) expect(base >= 20_000 && base + ports <= 32_768).toBe(true);
      if (one !== other) expect(Math.abs((mine?.[0] ?? 0) - (theirs?.[0] ?? 0))).toBeGreaterThanOrEqual(ports);
      expect(portBases(repository, ports, one, highest)).toEqual(mine);
    }),
  );
});

test("slots of a pool look for their blocks in different places, other repositories begin elsewhere", () => {
  const all = [1, 2, 3, 8].flatMap((n) => portBases("/a/.git", 10, n, 256));
  expect(new Set(all).size).toBe(all.length);
  expect(portBases("/a/.git", 10, 1, 8)[0]).not.toBe(portBases("/b/.git", 10, 1, 8)[0]);
});
