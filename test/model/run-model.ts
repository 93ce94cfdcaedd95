import fc from "fast-check";
import { poolCommands } from "./commands.ts";
import { Model } from "./model.ts";
import { World } from "./world.ts";

export type ModelRun = { runs: number; commands: number; seed: number };

/**
 * Random commands against a real pool, each followed by a look at everything that was ever promised. A failure prints
 * seed and path: GRAFTWORK_MODEL_SEED and GRAFTWORK_MODEL_PATH do that very run again, GRAFTWORK_MODEL_SHRINK=1
 * looks for a shorter one.
 */
export async function runModel({ runs, commands, seed }: ModelRun): Promise<string> {
  const { env } = process;
  const path = env["GRAFTWORK_MODEL_PATH"];
  let done = 0;
  const property = fc.asyncProperty(fc.commands(poolCommands(), { maxCommands: commands, size: "max" }), async (list) => {
    const world = await World.make();
    const model = new Model(world);
    await fc.asyncModelRun(() => ({ model, real: world }), list);
    done += [...list].length;
    const said = world.repo.git("fsck", "--no-dangling", "--no-progress", "--connectivity-only");
    if (said !== "") throw new Error(said);
  });
  await fc.assert(property, {
    numRuns: runs,
    seed: Number(env["GRAFTWORK_MODEL_SEED"] ?? seed),
    ...(path === undefined ? {} : { path }),
    endOnFailure: env["GRAFTWORK_MODEL_SHRINK"] !== "1",
  });
  return `model seed=${seed}: ${runs} runs, ${done} commands`;
}
