import { describe, expect, test } from "vitest";
import { each } from "../each.ts";
import { disturb, disturbTwice, isKilled, isTold, pointsOf } from "./campaign.ts";
import { SCENARIOS } from "./scenarios.ts";

const LIMIT_MS = 30 * 60_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

describe.each(Object.entries(SCENARIOS))("%s", (name, scenario) => {
  const again = name.startsWith("health") ? ["health", "--fix"] : scenario.verb;

  test(
    "killed at each point, the same verb or a repair afterwards",
    async () => {
      const points = await pointsOf(scenario);
      // Dying before a step is dying after the one before it.
      const numbers = points.flatMap((point, index) => (index === 0 || /^(?:done|started)\./.test(point) ? [index + 1] : []));
      const broken = await each(numbers, (n) =>
        disturb(scenario, { failpoint: `*@${n}=kill`, repair: n % 4 < 2 ? again : ["health", "--fix"], mayEnd: isKilled }),
      );
      say(`killed at ${numbers.length} points of ${points.length} (${new Set(points).size} kinds): ${name}`);
      expect(broken).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "its git killed alone, at each start of one",
    async () => {
      const starts = (await pointsOf(scenario)).filter((point) => point.startsWith("started."));
      const numbers = starts.map((_, index) => index + 1);
      const broken = await each(numbers, (n) =>
        disturb(scenario, { failpoint: `started@${n}=kill-child`, repair: ["health", "--fix"], mayEnd: isTold }),
      );
      say(`child killed at ${starts.length} starts: ${name}`);
      expect(broken).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "a full disk at each write",
    async () => {
      const writes = (await pointsOf(scenario)).filter((point) => point.startsWith("fs."));
      const numbers = writes.map((_, index) => index + 1);
      const broken = await each(numbers, (n) =>
        disturb(scenario, { failpoint: `fs@${n}=throw:ENOSPC`, repair: ["health", "--fix"], mayEnd: isTold }),
      );
      say(`no space at ${writes.length} writes: ${name}`);
      expect(broken).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "killed again inside the recovery",
    async () => {
      const points = await pointsOf(scenario);
      const firsts = points.map((_, index) => index + 1).filter((n) => n % 23 === 3);
      const pairs = firsts.flatMap((first) => [2, 9, 17, 31].map((second) => `${first} ${second}`));
      const broken = await each(pairs, (pair) => {
        const [first, second] = pair.split(" ");
        return disturbTwice(scenario, `*@${first}=kill`, `*@${second}=kill`);
      });
      say(`killed twice at ${pairs.length} pairs of points: ${name}`);
      expect(broken).toEqual([]);
    },
    LIMIT_MS,
  );
});
