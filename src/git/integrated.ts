import { mergeBase, treeOf } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { isAncestor } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { squashedCommits } from "./squashed-commits.ts";
import { type Standing, standingOf } from "./standing.ts";
import { type BranchWork, partTakenOff } from "./work-parts.ts";

/**
 * Tells how a branch that began at `base` got into `target`: by its own commits, or by commits that make the same changes
 * (a squash, a rebase, a pick). The target may have taken it off since. Returns undefined if the target lacks some of its
 * work, as far as can be told.
 */
export async function integratedBy(repository: Repository, branch: BranchWork, target: Oid): Promise<"ancestor" | "squash" | undefined> {
  const { base, tip } = branch;
  if (await isAncestor(repository, tip, target)) return "ancestor";
  if ((await treeOf(repository, tip)) === (await treeOf(repository, target))) return "squash";
  // A squash may have been merged into its surroundings, so that it makes another change.
  if ((await squashedCommits(repository, [base], [target])).includes(tip)) return "squash";
  return (await standingOfWork(repository, branch, target)).kind === "never" ? undefined : "squash";
}

/** Tells how a branch's own work stands on `target`. What the branch took in from the target is none of it. */
async function standingOfWork(repository: Repository, { base, tip }: BranchWork, target: Oid): Promise<Standing> {
  const isPlain = (await isAncestor(repository, tip, target)) || !(await isAncestor(repository, base, target));
  const from = isPlain ? base : ((await mergeBase(repository, target, tip)) ?? base);
  return standingOf(repository, { from, to: tip }, target);
}

/** The same, but also tells if a part of work was taken off that the target never had whole, or had edited since. */
export async function standingInParts(repository: Repository, work: BranchWork, target: Oid): Promise<Standing> {
  const standing = await standingOfWork(repository, work, target);
  if (standing.kind === "there" || standing.kind === "off") return standing;
  const by = await partTakenOff(repository, work, target);
  return by === undefined ? standing : { kind: "off", by, whole: false };
}

/**
 * Tells how the work of a branch stands on `target`, if `merge` has it. A revert of the merge differs from one of the
 * branch if others changed lines nearby, so both are looked at.
 */
export async function standingOfMerged(repository: Repository, branch: BranchWork, merge: Oid, target: Oid): Promise<Standing> {
  const work = await standingOfWork(repository, branch, target);
  const brought = work.kind === "there" || isOff(work) ? undefined : await broughtBy(repository, branch, merge);
  if (brought === undefined) return work;
  const whole = await standingOf(repository, brought, target);
  return work.kind === "never" || whole.kind === "there" || isOff(whole) ? whole : work;
}

const isOff = (standing: Standing): boolean => standing.kind === "off" && standing.whole;

/**
 * Returns the change that brought a branch into `merge`: a squash, or the first merge of the first-parent line that
 * reaches the tip, or all of the branch if the line goes through its tip. Returns undefined if no such change is known.
 */
export async function broughtBy(repository: Repository, branch: BranchWork, merge: Oid): Promise<{ from: Oid; to: Oid } | undefined> {
  const before = await firstParentOf(repository, merge);
  if (!(await isAncestor(repository, branch.tip, merge)))
    return (await squashedCommits(repository, [before], [merge])).includes(branch.tip) ? { from: before, to: merge } : undefined;
  const args = ["rev-list", "--first-parent", "--reverse", "--end-of-options", merge, `^${branch.base}`];
  const line = (await runGit(repository, { ...ownGit(repository, "plain"), args })).text.split("\n").filter((oid) => oid !== "");
  if (line.includes(branch.tip)) return { from: branch.base, to: branch.tip };
  // Once a commit of the line reaches the tip, all after it do.
  let [low, high] = [0, line.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isAncestor(repository, branch.tip, line[middle] ?? merge)) high = middle;
    else low = middle + 1;
  }
  const to = line[low];
  if (to === undefined) return undefined;
  const from = await firstParentOf(repository, to);
  // The target may have had the work before by other commits.
  return (await treeOf(repository, from)) === (await treeOf(repository, to)) ? undefined : { from, to };
}

/** The first parent of a commit; the commit itself if it has none. */
export async function firstParentOf(repository: Repository, commit: Oid): Promise<Oid> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^1^{commit}`];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 1, 128] });
  return answer.code === 0 ? answer.text.trim() : commit;
}
