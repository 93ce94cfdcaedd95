import { integratedBy, listWorktrees, readRefs, resolveCommit, updateRefs } from "../git/index.ts";
import { operationName, type PoolContext } from "./context.ts";
import type { PoolStore } from "./pool-state.ts";
import { withoutBranch } from "./recover.ts";
import { keepCommit } from "./rescue.ts";

export type DeletedBranches = { deletedBranches: string[]; keptBranches: string[] };

/**
 * Deletes branches that are recorded as ours, merged into HEAD of the main worktree, and checked out nowhere. Of one
 * that was merged by squashing, the commits are kept as a rescue: no other ref reaches them.
 */
export async function deleteMergedBranches(context: PoolContext, store: PoolStore): Promise<DeletedBranches> {
  const { repository } = context;
  // On a branch without commits nothing is merged.
  const target = await resolveCommit(repository, "HEAD");
  const refs = await readRefs(repository, `refs/heads/${context.settings.branchPrefix}/`);
  const inUse = new Set((await listWorktrees(repository)).map((worktree) => worktree.branch));
  const deletedBranches: string[] = [];
  const keptBranches: string[] = [];
  for (const [branch, record] of Object.entries(store.read().state.branches)) {
    const ref = `refs/heads/${branch}`;
    const tip = refs.get(ref);
    if (tip === undefined) continue;
    const merged = target === undefined || inUse.has(ref) ? undefined : await integratedBy(repository, { base: record.base, tip }, target);
    if (merged === "squash") await keepCommit(context, record.task, tip, `branch ${branch}, merged by squashing`);
    const refused =
      merged === undefined || merged === "once"
        ? "not merged"
        : await updateRefs(repository, [{ ref, remove: true, old: tip }], "delete a merged branch");
    if (refused === undefined) deletedBranches.push(branch);
    else keptBranches.push(branch);
  }
  await store.commit(operationName("forget branches"), (state) => deletedBranches.reduce(withoutBranch, state));
  return { deletedBranches, keptBranches };
}
