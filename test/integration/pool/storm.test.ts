import { expect, test } from "vitest";
import { runStorm } from "../../storm/storm.ts";

test("processes that are killed and stopped at random never share a slot and lose nothing", async () => {
  const report = await runStorm({ seed: 1, workers: 8, slots: 3, operations: 120, kills: 8, stops: 4, waitingRoom: true });
  expect(report.violations.join("\n")).toBe("");
  expect(report.operations).toBeGreaterThanOrEqual(120);
  expect(report).toMatchObject({ kills: 8, stops: 4 });
}, 180_000);
