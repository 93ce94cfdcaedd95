import { GraftworkError, type Task } from "../domain/index.ts";
import { changedPaths, type Repository, slotHead, slotStatus } from "../git/index.ts";
import { existingStore, findSlot, treeOfSlot } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";

/** A task that is worked on at the same time, as another task's brief names it. */
export type Neighbour = Pick<Task, "id" | "title" | "files"> & {
  /** The paths that it has changed so far, committed or not. */
  changing: readonly string[];
};

/** Looks into the task's slot. If git cannot read it, no paths are named: they are only a hint in a brief. */
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
