import { describe, expect, test } from "vitest";
import { disturb, isKilled, isTold, pointsOf } from "../../faults/kill/campaign.ts";
import { SCENARIOS } from "../../faults/kill/scenarios.ts";

/** The whole campaign is `npm run test:faults`; here each verb is disturbed twice, at places drawn from a fixed seed. */
const SEED = 20_261_121;

function draw(from: number, seed: number): number {
  return 1 + ((Math.imul(seed, 2_654_435_761) >>> 8) % from);
}

describe.each(Object.entries(SCENARIOS).map(([name, scenario], index) => ({ name, scenario, index })))("$name", ({ scenario, index }) => {
  test("killed at a point, and a full disk at a write: the next verb puts right what was left", async () => {
    const points = await pointsOf(scenario);
    const at = draw(points.length, SEED + index);
    const write = draw(points.filter((point) => point.startsWith("fs.")).length, SEED - index);
    const repair = ["health", "--fix"];
    const broken = [
      ...(await disturb(scenario, { failpoint: `*@${at}=kill`, repair, mayEnd: isKilled })),
      ...(await disturb(scenario, { failpoint: `fs@${write}=throw:ENOSPC`, repair, mayEnd: isTold })),
    ];
    expect(broken, `killed at ${at} (${points[at - 1]}), disk full at write ${write}`).toEqual([]);
  });
});
