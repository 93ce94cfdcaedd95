import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../../src/git/index.ts";
import { ejectionRate, recordEjections, USUAL_EJECTION } from "../../../src/merge/ejection-record.ts";
import { hermeticEnv, tempRepo } from "../../fixtures/index.ts";

test("the record follows what becomes of branches, never reaches nothing, and a damaged one counts as none", async () => {
  const repository = await openRepository(tempRepo().dir, { parentEnv: hermeticEnv() });
  expect(ejectionRate(repository)).toBe(USUAL_EJECTION);
  for (let n = 0; n < 40; n++) recordEjections(repository, 1, 1);
  expect(ejectionRate(repository)).toBeGreaterThan(0.4);
  expect(ejectionRate(repository)).toBeLessThan(0.6);
  recordEjections(repository, 2_000, 0);
  expect(ejectionRate(repository)).toBe(0.001);
  writeFileSync(join(repository.layout.root, "merge-record.json"), '{"ejection": "often"}');
  expect(ejectionRate(repository)).toBe(USUAL_EJECTION);
  rmSync(join(repository.layout.root, "merge-record.json"));
  expect(ejectionRate(repository)).toBe(USUAL_EJECTION);
});
