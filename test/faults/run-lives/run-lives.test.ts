import { expect, test } from "vitest";
import type { LifeSize } from "./live-life.ts";
import { liveLives } from "./live-lives.ts";

const FROM = Number(process.env["GRAFTWORK_LIVES_FROM"] ?? 1);
const COUNT = Number(process.env["GRAFTWORK_LIVES_COUNT"] ?? 1_000);

test(
  "random lives of a run with a user beside it: main stays green, nothing comes back, nothing is lost, each session ends",
  async () => {
    const sizeOf = (seed: number): LifeSize => ({ tasks: 3 + (seed % 3), sessions: 2 + (seed % 3) });
    expect(await liveLives({ from: FROM, count: COUNT, sizeOf, say: (line) => void process.stdout.write(`${line}\n`) })).toEqual([]);
  },
  24 * 3_600_000,
);
