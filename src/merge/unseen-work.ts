import { type Oid, treeDifferences, treeOf } from "../git/index.ts";
import { secretsInWork, wasDecided } from "../trust/index.ts";
import type { Candidate, TrainContext } from "./candidate.ts";
import { type Held, heldFor, NAMED, protectedChanges } from "./protected-change.ts";

type Context = Pick<TrainContext, "repository" | "run" | "secrets" | "commandFiles">;
type Work = Pick<Candidate, "task" | "commit" | "decided" | "letsIn">;

/**
 * Returns what a merge brings that only a person may let in: protected changes and secrets. Undefined if there is nothing,
 * if a person merges by hand and lets it in, or if the user's state folder knows that a person decided these very files.
 */
export async function unseenWork(
  context: Context,
  work: Work,
  { from, tree }: { from: { commit: Oid; tree: Oid }; tree: Oid },
): Promise<Held | undefined> {
  if (work.letsIn === true) return undefined;
  const { repository, secrets = [] } = context;
  const seen = decidedCommit(context, work);
  if (seen !== work.commit) {
    const known = [from.commit, ...(seen === undefined ? [] : [seen])];
    const found = await secretsInWork(repository, { tip: work.commit, known, values: secrets });
    if (found.length > 0)
      return { paths: [], reason: `it holds secrets: ${found.slice(0, NAMED).join(", ")}. Only a person lets that in`, anew: true };
  }
  return unseenChanges(context, work, { from: from.tree, tree });
}

/** Returns the protected changes alone, under the same rules. */
export async function unseenChanges(context: Context, work: Work, { from, tree }: { from: Oid; tree: Oid }): Promise<Held | undefined> {
  if (work.letsIn === true || from === tree) return undefined;
  const { repository, commandFiles } = context;
  const seen = decidedCommit(context, work);
  const changes = await protectedChanges(repository, from, tree, commandFiles);
  if (seen === undefined || changes.length === 0) return heldFor(changes);
  const others = await treeDifferences(repository, await treeOf(repository, seen), tree);
  return heldFor(changes.filter(({ path }) => others.some((one) => one.path === path)));
}

/** The commit that a person decided on, if the user's state folder knows of it. */
function decidedCommit({ repository, run }: Context, { task, decided }: Work): Oid | undefined {
  return decided !== undefined && wasDecided(repository.layout, { run, task, commit: decided.commit }) ? decided.commit : undefined;
}
