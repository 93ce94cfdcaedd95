import { test } from "vitest";
import { landRandomPlans } from "../integration/merge/land-random-plan.ts";

test("two thousand random plans: what can land lands after what it needs, and the target is never at anything else", async () => {
  process.stdout.write(`${await landRandomPlans({ runs: 2_000, seed: Math.floor(Math.random() * 1_000_000) })}\n`);
}, 3_600_000);
