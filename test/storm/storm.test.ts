import { expect, test } from "vitest";
import { runStorm } from "./storm.ts";

const SEED = Number(process.env["GRAFTWORK_STORM_SEED"] ?? 20261121);

test.each([
  { name: "with the waiting room", waitingRoom: true },
  { name: "without the waiting room", waitingRoom: false },
])(
  "fifty processes, twelve slots, ten thousand operations, $name: no slot is shared and nothing is lost",
  async ({ waitingRoom }) => {
    const report = await runStorm({ seed: SEED, workers: 50, slots: 12, operations: 10_000, kills: 220, stops: 60, waitingRoom });
    // Said at once: the storm after this one takes its time, and may be cut off.
    process.stdout.write(`${[report.summary, ...report.violations].join("\n  ")}\n`);
    expect(report.violations.join("\n")).toBe("");
    expect(report.operations).toBeGreaterThanOrEqual(10_000);
    expect(report.kills).toBeGreaterThanOrEqual(200);
    expect(report.stops).toBeGreaterThanOrEqual(50);
    expect(report.longStops).toBeGreaterThanOrEqual(5);
  },
  3_600_000,
);
