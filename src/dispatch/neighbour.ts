import { GraftworkError, type Task } from "../domain/index.ts";
import { changedPaths, type Repository, slotHead, slotStatus } from "../git/index.ts";
import { existingStore, findSlot, treeOfSlot } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";

/** A task that is worked on beside another one, as that one's brief names it. */
export type Neighbour = Pick<Task, "id" | "title" | "files"> & {
  /** What it has changed by now, committed or not. */
  changing: readonly string[];
};

/** Looks into the task's slot. What cannot be seen is not there: it is a hint, and no reason not to begin. */
export async function neighbourOf(repository: Repository, { id, title, files }: Task, facts: TaskFacts): Promise<Neighbour> {
  const changing = await changedBy(repository, facts).catch((error: unknown) => {
    if (error instanceof GraftworkError) return [];
    throw error;
  });
  return { id, title, files, changing };
}

async function changedBy(repository: Repository, { slot, token, base }: TaskFacts): Promise<string[]> {
  const record = slot === null ? undefined : findSlot(existingStore(repository).read().state, slot);
  if (record === undefined || base === null || record.lease?.token !== token) return [];
  const tree = treeOfSlot(record);
  const { commit } = await slotHead(repository, tree);
  const status = await slotStatus(repository, tree, commit ?? base);
  const committed = commit === null || commit === base ? [] : await changedPaths(repository, base, commit);
  return [...new Set([...committed, ...status.tracked, ...status.untracked])].toSorted();
}
