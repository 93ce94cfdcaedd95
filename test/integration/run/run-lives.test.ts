import { expect, test } from "vitest";
import { liveLives } from "../../faults/run-lives/live-lives.ts";

test("a random life of a run with a user beside it: main stays green, nothing comes back, nothing is lost, each session ends", async () => {
  const told: string[] = [];
  expect(await liveLives({ from: 1, count: 1, sizeOf: () => ({ tasks: 3, sessions: 2 }), say: (line) => told.push(line) })).toEqual([]);
  expect(told.at(-1)).toMatch(/landings/);
}, 300_000);
