import { GraftworkError } from "../domain/index.ts";
import { effectOf } from "./apply-change.ts";
import { type Change, changeOf, changesOf } from "./changes.ts";
import { treeOf } from "./commit-objects.ts";
import { mergeTrees } from "./merge-trees.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { isAncestor } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { squashedCommits } from "./squashed-commits.ts";

/**
 * Tells how a branch that began at `base` got into `target`: by its own commits, or by commits that make the same changes
 * (a squash, a rebase, a pick). Returns undefined if the target lacks some of its work, as far as can be told.
 */
export async function integratedBy(
  repository: Repository,
  branch: { base: Oid; tip: Oid },
  target: Oid,
): Promise<"ancestor" | "squash" | undefined> {
  const { base, tip } = branch;
  if (await isAncestor(repository, tip, target)) return "ancestor";
  if ((await treeOf(repository, tip)) === (await treeOf(repository, target))) return "squash";
  // What is squashed in parts, or merged into its surroundings, is no one change of the target.
  if ((await squashedCommits(repository, base, target)).includes(tip)) return "squash";
  for (const at of [...(await likelyHolders(repository, branch, target)), target])
    if (await bringsNothing(repository, branch, at)) return "squash";
  return undefined;
}

/** How many commits with the same change are tried. */
const COMPARED = 5;

/** Returns commits with which the target may have got the last of the work: they make the same changes. */
async function likelyHolders(repository: Repository, { base, tip }: { base: Oid; tip: Oid }, target: Oid): Promise<Oid[]> {
  const wanted = await changeOf(repository, base, tip);
  const there = await changesOf(repository, [base], [target]);
  const whole = there.filter(({ change }) => change !== "" && change === wanted).map(({ commit }) => commit);
  const own = await changesOf(repository, [base], [tip]);
  const places = own.map((one) => (one.change === "" ? -1 : there.findIndex(({ change }) => change === one.change)));
  // The newest comes first.
  const last = places.length === 0 || places.includes(-1) ? undefined : there[Math.min(...places)]?.commit;
  return [...new Set([...whole.slice(0, COMPARED), ...(last === undefined ? [] : [last])])];
}

/** True if merging the branch would leave the target's files as they are. */
async function bringsNothing(repository: Repository, { base, tip }: { base: Oid; tip: Oid }, target: Oid): Promise<boolean> {
  const isBaseThere = await isAncestor(repository, base, target);
  try {
    const { clean, tree } = await mergeTrees(repository, target, tip, isBaseThere ? undefined : base);
    return clean && tree === (await treeOf(repository, target));
  } catch (error) {
    // git merges no histories that have nothing in common.
    if (error instanceof GraftworkError && error.code === "GIT_FAILED") return false;
    throw error;
  }
}

/** `by`: the newest commit that took something of a change back. `whole`: nothing of the change is left. */
export type Revert = { by: Oid; whole: boolean };

/** Tells for each change (`from` to `to`) which commit of `target` took it back. Undefined: none did, or it was brought again. */
export async function revertsOf(
  repository: Repository,
  changes: readonly { from: Oid; to: Oid }[],
  target: Oid,
): Promise<(Revert | undefined)[]> {
  return Promise.all(
    changes.map(async ({ from, to }) => {
      if (to === target) return undefined;
      const since = await changesOf(repository, [to], [target]);
      if (since.length === 0) return undefined;
      const [forth, back] = await Promise.all([changeOf(repository, from, to), changeOf(repository, to, from)]);
      const whole = await takenBackBy(repository, { from, to, forth, back }, { since, target });
      if (whole !== undefined) return { by: whole, whole: true };
      // People also revert the commits of a branch one by one.
      const [own, reversed] = await Promise.all([changesOf(repository, [from], [to]), changesOf(repository, [from], [to], "reversed")]);
      const parts = await Promise.all(
        own.flatMap(({ commit, change, parents }, n) => {
          const part = { from: parents[0], to: commit, forth: change, back: reversed[n]?.change };
          return change === "" ? [] : [takenBackBy(repository, part, { since, target })];
        }),
      );
      const by = parts.find((one) => one !== undefined);
      return by === undefined ? undefined : { by, whole: parts.every((one) => one !== undefined) };
    }),
  );
}

async function takenBackBy(
  repository: Repository,
  { from, to, forth, back }: { from: Oid | undefined; to: Oid; forth: string | undefined; back: string | undefined },
  { since, target }: { since: readonly Change[]; target: Oid },
): Promise<Oid | undefined> {
  const by = back === undefined || back === "" ? undefined : since.find(({ change }) => change === back);
  if (by === undefined) return undefined;
  // If the change is gone, taking it back once more changes nothing.
  const effect = from === undefined ? "conflict" : await effectOf(repository, { from: to, to: from }, target);
  const isNewest = since.find(({ change }) => change === forth || change === back) === by;
  return effect === "nothing" || (effect === "conflict" && isNewest) ? by.commit : undefined;
}

/**
 * The change of `target` that brought a branch which it holds: the first merge of its first-parent line that reaches the
 * tip, or all of the branch if the target was moved forward onto it.
 */
export async function broughtBy(repository: Repository, branch: { base: Oid; tip: Oid }, target: Oid): Promise<{ from: Oid; to: Oid }> {
  const whole = { from: branch.base, to: branch.tip };
  const args = ["rev-list", "--first-parent", "--reverse", "--end-of-options", target, `^${branch.base}`];
  const line = (await runGit(repository, { ...ownGit(repository, "plain"), args })).text.split("\n").filter((oid) => oid !== "");
  if (line.includes(branch.tip)) return whole;
  // Once a commit of the line reaches the tip, all after it do.
  let [low, high] = [0, line.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isAncestor(repository, branch.tip, line[middle] ?? target)) high = middle;
    else low = middle + 1;
  }
  const to = line[low];
  return to === undefined ? whole : { from: await firstParentOf(repository, to), to };
}

/** The first parent of a commit; the commit itself if it has none. */
export async function firstParentOf(repository: Repository, commit: Oid): Promise<Oid> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^1^{commit}`];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 1, 128] });
  return answer.code === 0 ? answer.text.trim() : commit;
}
