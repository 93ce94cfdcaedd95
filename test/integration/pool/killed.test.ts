import { describe, expect, test } from "vitest";
import { disturb, isKilled, isTold, pointsOf } from "../../faults/kill/campaign.ts";
import { SCENARIOS } from "../../faults/kill/scenarios.ts";

/** The whole campaign is `npm run test:faults`; here each verb is disturbed once, at a place drawn from a fixed seed. */
const SEED = 20_261_121;

function draw(from: number, seed: number): number {
  return 1 + ((Math.imul(seed, 2_654_435_761) >>> 8) % from);
}

describe.each(Object.entries(SCENARIOS).map(([name, scenario], index) => ({ name, scenario, index })))("$name", ({ scenario, index }) => {
  const isKill = index % 2 === 0;

  test(`${isKill ? "killed at a point" : "a full disk at a write"}: the next verb puts right what was left`, async () => {
    const points = await pointsOf(scenario);
    const among = isKill ? points : points.filter((point) => point.startsWith("fs."));
    const at = draw(among.length, SEED + index);
    const how = isKill ? { failpoint: `*@${at}=kill`, mayEnd: isKilled } : { failpoint: `fs@${at}=throw:ENOSPC`, mayEnd: isTold };
    expect(await disturb(scenario, { ...how, repair: ["health", "--fix"] }), `at ${at} (${among[at - 1]})`).toEqual([]);
  });
});
