import { pinSettings, plantedSettings, plantedText, undoPlanted } from "../git/index.ts";
import { adoptFacts } from "../state/index.ts";
import type { PoolContext } from "./context.ts";
import type { PoolState } from "./pool-state.ts";

/**
 * What decides what git runs in the repository is the user's while no task is at work; what changes while one is may
 * have been planted by its agent, and is put back.
 */
export async function guardSettings(context: PoolContext, state: Pick<PoolState, "slots">): Promise<void> {
  if (state.slots.every((slot) => slot.lease === null)) {
    adoptFacts(context.repository.layout);
    await pinSettings(context.repository);
  } else await undoChangedSettings(context, undefined);
}

/** Puts back what was changed in the repository's settings, hooks and attributes since they were pinned, and says so. */
export async function undoChangedSettings(context: PoolContext, task: string | undefined): Promise<void> {
  const { repository, narrate } = context;
  const planted = await plantedSettings(repository);
  if (planted.length === 0) return;
  await undoPlanted(repository, planted);
  const when = task === undefined ? "while tasks were at work" : `while ${task} was at work`;
  for (const one of planted) narrate(`changed in the repository ${when}, put back: ${plantedText(one)}`);
  narrate("if that change was yours: make it again while no slot is leased (`pool-manager status`), then it stays");
}
