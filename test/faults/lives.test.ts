import { expect, test } from "vitest";
import { live } from "../unit/run/lives.ts";

const COUNT = Number(process.env["GRAFTWORK_SIMULATED_LIVES"] ?? 20_000);

test("twenty thousand simulated lives of a run: nothing lands before what it depends on, replay equals live, none is stuck", () => {
  const seen = new Map<string, number>();
  let landings = 0;
  for (let seed = 1; seed <= COUNT; seed++) {
    const life = live(seed);
    expect(life.faults, `seed ${seed}`).toEqual([]);
    landings += life.landings;
    for (const one of life.seen) seen.set(one, 1 + (seen.get(one) ?? 0));
  }
  process.stdout.write(
    `${COUNT} simulated lives, ${landings} landings; lives with: ${[...seen].map(([what, n]) => `${n} ${what}`).join(", ")}\n`,
  );
}, 3_600_000);
