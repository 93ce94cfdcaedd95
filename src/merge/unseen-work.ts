import { type Oid, treeDifferences, treeOf } from "../git/index.ts";
import { secretsInWork, wasDecided } from "../trust/index.ts";
import type { Candidate, TrainContext } from "./candidate.ts";
import { type Held, heldFor, NAMED, protectedChanges } from "./protected-change.ts";

type Context = Pick<TrainContext, "repository" | "run" | "secrets" | "commandFiles">;
type Work = Pick<Candidate, "task" | "commit" | "decided" | "letsIn">;

/**
 * Returns the secrets that work brings to `tip`, which only a person may let in. Undefined if there are none, if a person merges by
 * hand and lets them in, or if the user's state folder knows that a person decided on this very commit.
 */
export async function unseenSecrets(context: Context, work: Work, tip: Oid): Promise<Held | undefined> {
  const { repository, secrets = [] } = context;
  const seen = decidedCommit(context, work);
  if (work.letsIn === true || seen === work.commit) return undefined;
  const found = await secretsInWork(repository, { tip: work.commit, known: [tip, ...(seen === undefined ? [] : [seen])], values: secrets });
  if (found.length === 0) return undefined;
  return { paths: [], reason: `it holds secrets: ${found.slice(0, NAMED).join(", ")}. Only a person lets that in`, startOver: true };
}

/** Returns the protected changes between two trees that no person has let in, by the same rules. Files that a person decided do not count. */
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
