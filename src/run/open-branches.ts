import { filtersOf, lstatBelow, type Oid, type Repository, readRefs, slotStatus, snapshotSlot } from "../git/index.ts";
import { committablePaths, existingStore, type PoolContext, type SlotRecord, treeOfSlot } from "../pool/index.ts";
import { listRuns } from "./run-folder.ts";

/** A branch that somebody works on, or that waits to land. */
export type OpenBranch = {
  branch: string;
  task: string;
  run: string;
  /** Approved: QA has passed it, and it has not landed. */
  state: "busy" | "approved";
  /** The slot that the branch is in; null: it was given back. */
  slot: SlotRecord | null;
  commit: Oid;
  /** Paths in the slot that the next commit there would hold. */
  unsaved: readonly string[];
};

/** The branches of busy slots, and those of approved tasks of the newest run. Throws POOL_MISSING. */
export async function openBranches(context: PoolContext): Promise<OpenBranch[]> {
  const { repository } = context;
  const newest = listRuns(repository)[0];
  const approved = new Map(
    [...(newest?.facts.tasks.values() ?? [])].flatMap(({ id, status, branch, commit }) =>
      branch === null || commit === null || !["qa_approved", "merging"].includes(status) ? [] : [[branch, { task: id, commit }]],
    ),
  );
  const { slots } = existingStore(repository).read().state;
  const busy = slots.filter(({ status, lease }) => status === "busy" && lease !== null);
  const names = busy.map(({ lease }) => `refs/heads/${lease?.branch ?? ""}`);
  // Without a name it would be asked for all refs.
  const refs = names.length === 0 ? new Map<string, Oid>() : await readRefs(repository, ...names);
  const ofSlots = await Promise.all(
    busy.map(async (slot): Promise<OpenBranch | undefined> => {
      const { lease } = slot;
      const commit = refs.get(`refs/heads/${lease?.branch ?? ""}`);
      if (lease === null || commit === undefined) return undefined;
      const { task, branch, run } = lease;
      const state = approved.has(branch) ? "approved" : "busy";
      return { branch, task, run, state, slot, commit, unsaved: await unsavedIn(context, slot, commit) };
    }),
  );
  const found = ofSlots.filter((one) => one !== undefined);
  const held = new Set(found.map(({ branch }) => branch));
  const waiting = [...approved].filter(([branch]) => !held.has(branch));
  return [
    ...found,
    ...waiting.map(
      ([branch, { task, commit }]): OpenBranch => ({
        branch,
        task,
        commit,
        run: newest?.run ?? "",
        state: "approved",
        slot: null,
        unsaved: [],
      }),
    ),
  ];
}

/** What is changed or new in a slot against its branch, ignored files and copies of ours apart. A slot that cannot be read is said. */
async function unsavedIn(context: PoolContext, slot: SlotRecord, tip: Oid): Promise<string[]> {
  try {
    return committablePaths(context, await slotStatus(context.repository, treeOfSlot(slot), tip));
  } catch (error) {
    context.narrate(`${slot.id} could not be looked into: ${String(error)}`);
    return [];
  }
}

/**
 * The branch with its slot's unsaved work on top, as a throw-away commit. Large files and such with a filter (it may be
 * one that encrypts) are left as the branch has them. Files that change meanwhile cost the unsaved work of the answer.
 */
export async function tipOf(context: PoolContext, inside: Repository, { commit, slot, unsaved }: OpenBranch): Promise<Oid> {
  if (slot === null || unsaved.length === 0) return commit;
  try {
    const tree = treeOfSlot(slot);
    const filters = await filtersOf(inside, tree, unsaved);
    const paths = unsaved.filter(
      (path) => !filters.has(path) && (lstatBelow(slot.path, path)?.size ?? 0) <= context.settings.rescueMaxFileBytes,
    );
    return await snapshotSlot(inside, tree, commit, paths);
  } catch (error) {
    context.narrate(`unsaved work of ${slot.id} is left out: ${String(error)}`);
    return commit;
  }
}
