import { type ChangeBetween, effectOf } from "./apply-change.ts";
import type { Listed } from "./held-values.ts";
import type { Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";

/** What a branch did from `base` to `tip`. */
export type BranchWork = { base: Oid; tip: Oid };

/** One step of a branch, or all up to it. `at`: when the step was written, in Unix seconds. */
export type Part = ChangeBetween & { at: number };

/** How many commits of a branch are looked at one by one. */
const COMPARED = 20;

/** Returns the parts of a branch that somebody may have taken: all of it, all up to one of its commits, or one commit. */
export function partsOf({ base, tip }: BranchWork, own: readonly Listed[]): Part[] {
  const commits = own.filter(({ parents }) => parents.length < 2).slice(-COMPARED);
  const whole = { from: base, to: tip, at: Math.min(...own.map(({ at }) => at)) };
  const parts = commits.toReversed().flatMap(({ commit, parents, at }): Part[] => {
    const alone = parents[0] === base ? [] : [{ from: parents[0], to: commit, at }];
    return [...(commit === tip ? [] : [{ from: base, to: commit, at }]), ...alone];
  });
  return [whole, ...parts];
}

/** True if a branch makes a change in the end. It may undo what one of its commits did, or have the change from its begin. */
export async function makesChange(repository: Repository, { base, tip }: BranchWork, change: ChangeBetween): Promise<boolean> {
  if ((await effectOf(repository, change, base)) === "nothing") return false;
  return change.from === undefined || (await effectOf(repository, { from: change.to, to: change.from }, tip)) !== "nothing";
}
