import { expect, test } from "vitest";
import { killedAtPoints } from "../../faults/landing/kills.ts";
import { halves, landHere, landingPoints, reset, stage, startLanding } from "../../faults/landing/lab.ts";
import { races } from "../../faults/landing/race.ts";
import { saveStorm } from "../../faults/landing/saves.ts";

// A small part of what test/faults/landing does at every point, a thousand times.

test("a landing that was killed is put back or ended, and what a person saved since is kept", async () => {
  const made = stage(3);
  const points = await landingPoints(made);
  const moments = ["done.fs.link", "done.spawn.git-checkout-index", "done.fs.rename", "spawn.git-update-ref", "done.spawn.git-update-ref"];
  const numbers = [...new Set(moments.flatMap((name) => [points.indexOf(name) + 1, points.lastIndexOf(name) + 1]))];
  expect(numbers).not.toContain(0);
  const { broken, old } = await killedAtPoints(made, numbers);
  expect(broken).toEqual([]);
  expect([old > 0, old < numbers.length]).toEqual([true, true]);
});

test("one that nobody continues is put right by the next landing there", async () => {
  const made = stage(3);
  const points = await landingPoints(made);
  for (const name of ["spawn.git-update-ref", "done.spawn.git-update-ref"]) {
    reset(made);
    await (await startLanding(made, { GRAFTWORK_FAILPOINT: `*@${points.lastIndexOf(name) + 1}=kill` })).ended;
    expect(halves(made)).not.toEqual([]);
    expect(await landHere(made)).toEqual({ kind: "landed" });
    // Where the target has moved, whoever merges next looks at it first.
    const back = { ...made, from: made.to, to: made.from };
    expect(await landHere(back)).toEqual({ kind: "landed" });
    expect(halves(made)).toEqual([]);
  }
});

test("no save of a person is lost while many files land", async () => {
  const { lost, half } = await saveStorm(stage(200), 3, "landing", 1);
  expect([lost, half]).toEqual([[], []]);
});

// Smaller ones than the thousand of `npm run test:races`, which have four coordinators and ten branches.
test("in five races of three coordinators and a person for one target, what lands was verified, and nothing of the person's is lost", async () => {
  const { violations, landed } = await races(5, 1, { coordinators: 3, branches: 4 });
  expect(violations).toEqual([]);
  expect(landed).toBeGreaterThan(1);
}, 300_000);
