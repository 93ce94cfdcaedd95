import { describe, expect, test } from "vitest";
import { EXPECTED, killAndContinue, MOMENTS } from "../e2e/killed-run.ts";

describe("kill -9 of a run at every moment it speaks of", () => {
  test.each(Object.keys(MOMENTS))("when %s", async (moment) => {
    expect((await killAndContinue(MOMENTS[moment] ?? expect.unreachable())).files).toEqual(EXPECTED);
  });
});
