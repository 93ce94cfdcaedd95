import { expect, test } from "vitest";
import { liveLives } from "./live-lives.ts";

const FROM = Number(process.env["GRAFTWORK_LIVES_FROM"] ?? 1);
const COUNT = Number(process.env["GRAFTWORK_LIVES_COUNT"] ?? 1_000);

test(
  "random lives of a run with a user beside it: main stays green, nothing comes back, nothing is lost, each session ends",
  async () => {
    const size = { tasks: 5, sessions: 4 };
    expect(await liveLives({ from: FROM, count: COUNT, size, say: (line) => void process.stdout.write(`${line}\n`) })).toEqual([]);
  },
  24 * 3_600_000,
);
