import { commitsBeyond, commitsNamedBy, type Oid, PUT_BACK, readRef, type SlotTree, updateRefs, wasHeadOutside } from "../git/index.ts";
import { existingStore } from "../pool/index.ts";
import type { DispatchContext } from "./context.ts";
import { type RefsBefore, refsOfTask } from "./follow-head.ts";

export type Guarded = {
  slot: SlotTree;
  /** Short name of the task's branch. */
  branch: string;
  /** What all refs were when the attempt began. */
  refsBefore: NonNullable<RefsBefore>;
  /** `refs/graftwork/attempts/<run>/<task>/<attempt>`; the commit is kept under this name with `-target` behind it. */
  keepAt: string;
};

/**
 * Puts the target back if an agent moved it to a commit of its own, and returns what it did as the reason of a failure.
 * Returns null if the target did not move, or if somebody else moved it. It is the agent's move if the commit was made
 * in the slot during the attempt (or stems from an earlier attempt of the same task), is not approved, and no worktree
 * outside the pool was ever put on it. Any other move is the user's, or a landing.
 */
export async function putTargetBack(
  context: Pick<DispatchContext, "repository" | "target" | "approved">,
  guarded: Guarded,
): Promise<string | null> {
  const { repository, target, approved } = context;
  const ref = `refs/heads/${target}`;
  const before = guarded.refsBefore.get(ref);
  const now = await readRef(repository, ref);
  if (before === undefined || now === undefined || now === before || approved().includes(now)) return null;
  if (!(await isOfSlot(context, guarded, now))) return null;
  const admins = existingStore(repository)
    .read()
    .state.slots.flatMap(({ admin }) => admin ?? []);
  if (wasHeadOutside(repository, now, target, new Set(admins))) return null;
  const kept = `${guarded.keepAt}-target`;
  // A landing that was approved a moment ago may be under way: the comparison decides.
  const refused = await updateRefs(
    repository,
    [
      { ref, set: before, old: now },
      { ref: kept, set: now },
    ],
    PUT_BACK,
  );
  if (refused !== undefined) return null;
  return `it moved ${target} to its own commit ${now.slice(0, 8)}; ${target} was put back to ${before.slice(0, 8)}, and the commit is kept as ${kept}`;
}

/** True if the slot's branch or HEAD log leads to the commit, and nobody else's ref held it when the attempt began. */
async function isOfSlot({ repository }: Pick<DispatchContext, "repository">, guarded: Guarded, commit: Oid): Promise<boolean> {
  const { slot, branch, refsBefore, keepAt } = guarded;
  const isOwn = refsOfTask({ branch, keepAt });
  const held = [...refsBefore].filter(([ref]) => !isOwn(ref)).map(([, oid]) => oid);
  const tip = await readRef(repository, `refs/heads/${branch}`);
  const made = await commitsBeyond(repository, [...commitsNamedBy(repository, slot), ...(tip === undefined ? [] : [tip])], held);
  return made.includes(commit);
}
