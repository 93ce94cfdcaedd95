import { expect, test } from "vitest";
import { landRandomPlans } from "./land-random-plan.ts";

test("twelve random plans: what can land lands after what it needs, and the target is never at anything else", async () => {
  const seen = await landRandomPlans({ runs: 12, seed: 1 });
  for (const fate of ["lands", "collides", "is red", "waits"]) expect(seen).toMatch(new RegExp(`\\d ${fate}`));
}, 300_000);
