import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { hermeticEnv } from "../../fixtures/index.ts";
import { landHere, reset, stage } from "./lab.ts";
import { type StormReport, saveStorm } from "./saves.ts";

const LIMIT_MS = 30 * 60_000;
const SEED = Number(process.env["GRAFTWORK_STORM_SEED"] ?? 20261121);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const told = ({ saves, lost, landed, refused }: StormReport): string =>
  `${lost.length} of ${saves} saves lost, ${landed} landed, ${refused} put back or refused`;

test(
  "thirty landings of 3,000 paths with a person saving files in them lose no save",
  async () => {
    const made = stage(3000, 4);
    const old = await saveStorm(made, 30, "merge", SEED);
    say(`git merge --ff-only, 30 of 3,000 paths: ${told(old)}`);
    const now = await saveStorm(made, 30, "landing", SEED);
    say(`landing, 30 of 3,000 paths: ${told(now)}`);
    expect(now.lost).toEqual([]);
    expect(now.half).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "what a landing of 3,000 paths costs beside git's own",
  async () => {
    const made = stage(3000, 4);
    const [ours, gits]: [number[], number[]] = [[], []];
    for (let round = 0; round < 9; round++) {
      for (const way of round % 2 === 0 ? ["ours", "git"] : ["git", "ours"]) {
        reset(made);
        const began = performance.now();
        if (way === "ours") expect(await landHere(made)).toEqual({ kind: "landed" });
        else spawnSync("git", ["merge", "-q", "--ff-only", "--no-overwrite-ignore", made.to], { cwd: made.repo.dir, env: hermeticEnv() });
        (way === "ours" ? ours : gits).push(performance.now() - began);
        expect(made.repo.git("rev-parse", "main")).toBe(made.to);
      }
    }
    const median = (all: number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
    say(`3,000 paths: ${Math.round(median(ours))} ms, git merge --ff-only ${Math.round(median(gits))} ms (medians of 9, in turn)`);
  },
  LIMIT_MS,
);
