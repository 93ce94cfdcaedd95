import { describe, expect, test } from "vitest";
import { mixedStorm, randomKills, readersDuringWrites, roundsOfEight, withSeed } from "../e2e/pool-disturbances.ts";
import { healthy } from "../e2e/pool-stage.ts";

const LIMIT_MS = 900_000;

/** The items of test/e2e/conformance-many.test.ts that are done there at a smaller size. */
describe("conformance at full size", () => {
  test(
    "11: eight acquires at once on eight slots, twenty rounds: 160 of 160",
    async () => {
      const stage = await roundsOfEight(20);
      expect(await stage.pool("health")).toMatchObject({ code: 0, stdout: expect.stringMatching(healthy(8)) });
    },
    LIMIT_MS,
  );

  test("13: a storm of 200 mixed verbs: afterwards the state is what git says", () => withSeed((seed) => mixedStorm(200, seed)), LIMIT_MS);

  test("14: twenty kills at random moments of an acquire", () => withSeed((seed) => randomKills(20, seed)), LIMIT_MS);

  test(
    "17: readers while each write of an acquire and of a release is killed, twice over",
    async () => {
      expect(await readersDuringWrites(["acquire", "release", "acquire", "release"])).toBeGreaterThan(100);
    },
    LIMIT_MS,
  );
});
