import { test } from "vitest";
import { runModel } from "../model/run-model.ts";

test("a hundred random lives of a pool: no lease is doubled and no work is lost", async () => {
  const { GRAFTWORK_MODEL_SEED: seed = "1" } = process.env;
  process.stdout.write(`${await runModel({ seed: Number(seed), runs: 100, commands: 30 })}\n`);
}, 3_600_000);
