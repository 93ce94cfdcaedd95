import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { killedAtPoints } from "./kills.ts";
import { halves, landingLength, landingPoints, recover, reset, stage, startLanding } from "./lab.ts";

const LIMIT_MS = 30 * 60_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

test(
  "a landing killed at each of its failpoints leaves a checkout that is wholly old or wholly new",
  async () => {
    const made = stage(3);
    const points = await landingPoints(made);
    reset(made);
    const numbers = points.map((_, index) => index + 1);
    const { broken, old } = await killedAtPoints(made, numbers);
    say(`killed at ${points.length} points: ${old} put back, ${points.length - old} landed`);
    expect(broken).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "a landing of 3,000 paths killed at twenty moments leaves a checkout that is wholly old or wholly new",
  async () => {
    const made = stage(3000, 4);
    const broken: string[] = [];
    const ends = { old: 0, new: 0, ended: 0 };
    const length = await landingLength(made, () => startLanding(made));
    say(`a landing of 3,000 paths takes ${Math.round(length)} ms`);
    for (let moment = 0; moment < 20; moment++) {
      reset(made);
      const victim = await startLanding(made);
      await victim.began;
      await delay((length * (moment + 0.5)) / 20);
      if (!victim.child.kill("SIGKILL")) ends.ended += 1;
      await victim.ended;
      broken.push(...(await recover(made)).map((path) => `moment ${moment}: ${path} is taken for a person's`));
      broken.push(...halves(made).map((line) => `moment ${moment}: ${line}`));
      ends[made.repo.git("rev-parse", "main") === made.to ? "new" : "old"] += 1;
    }
    say(`killed at 20 moments: ${ends.old} put back, ${ends.new} landed (${ends.ended} had ended)`);
    expect(broken.slice(0, 20)).toEqual([]);
  },
  LIMIT_MS,
);
