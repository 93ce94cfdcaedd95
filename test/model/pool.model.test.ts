import { test } from "vitest";
import { runModel } from "./run-model.ts";

test("whatever agents, users and crashes do to a pool, no lease is doubled and no work is lost", async () => {
  await runModel({ seed: 20261121, runs: 4, commands: 30 });
});
