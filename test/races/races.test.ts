import { expect, test } from "vitest";
import { races } from "../faults/landing/race.ts";

const SEED = Number(process.env["GRAFTWORK_STORM_SEED"] ?? 20261121);
const ROUNDS = Number(process.env["GRAFTWORK_RACES"] ?? 1000);

test(
  `${ROUNDS} races of coordinators and a person on one target: what lands was verified, nothing of the person's is lost`,
  async () => {
    const { violations, summary } = await races(ROUNDS, SEED, { coordinators: 4, branches: 10 });
    process.stdout.write(`${summary}\n`);
    expect(violations.slice(0, 20)).toEqual([]);
  },
  4 * 3_600_000,
);
