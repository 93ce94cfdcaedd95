import { expect, test } from "vitest";
import { killAtPoint, resolverPoints } from "../e2e/killed-resolver.ts";
import { each } from "./each.ts";

test(
  "kill -9 of a run after every step of an agent's resolution, a garbage collection, continue: both tasks' work lands",
  async () => {
    const points = await resolverPoints();
    let kills = 0;
    const broken = await each(points, async (point) => {
      const end = await killAtPoint(point);
      if (end.killed) kills += 1;
      return end.broken;
    });
    process.stdout.write(`killed ${kills} times at ${points.length} points (${new Set(points.map(({ name }) => name)).size} kinds)\n`);
    expect(broken).toEqual([]);
    // The last one may end a little earlier than the one that was looked at.
    expect(kills).toBeGreaterThan(points.length * 0.9);
  },
  4 * 3_600_000,
);
