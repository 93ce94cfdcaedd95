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
 * (a squash, a rebase, a pick). `once`: the target had all of it, and took it off or edited it. Returns undefined if the
 * target lacks some of its work, as far as can be told.
 */
export async function integratedBy(
  repository: Repository,
  branch: BranchWork,
  target: Oid,
): Promise<"ancestor" | "squash" | "once" | undefined> {
  const { base, tip } = branch;
  if (await isAncestor(repository, tip, target)) return "ancestor";
  if ((await treeOf(repository, tip)) === (await treeOf(repository, target))) return "squash";
  // A squash may have been merged into its surroundings, so that it makes another change.
  if ((await squashedCommits(repository, [base], [target])).includes(tip)) return "squash";
  const { kind } = await standingOfWork(repository, branch, target);
  return kind === "never" ? undefined : kind === "there" ? "squash" : "once";
}

/** Tells if `target` has all work of a branch now, by the branch's own commits or by others. */
export async function isIntegrated(repository: Repository, branch: BranchWork, target: Oid): Promise<boolean> {
  const how = await integratedBy(repository, branch, target);
  return how === "ancestor" || how === "squash";
}

/** Tells how a branch's own work stands on `target`. Commits that the branch merged from the target do not count. */
async function standingOfWork(repository: Repository, { base, tip }: BranchWork, target: Oid): Promise<Standing> {
  const heldAt = await reaching(repository, { base, tip }, target);
  const isPlain = heldAt !== undefined || !(await isAncestor(repository, base, target));
  const from = isPlain ? base : ((await mergeBase(repository, target, tip)) ?? base);
  return standingOf(repository, { from, to: tip }, target, heldAt);
}

/**
 * Tells how a branch's own work stands on `target`. If the target never had all of it, or edited it since, this also finds
 * a part that was taken off.
 */
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
  const heldAt = (await isAncestor(repository, brought.to, target)) ? brought.to : undefined;
  const whole = await standingOf(repository, brought, target, heldAt);
  return work.kind === "never" || whole.kind === "there" || isOff(whole) ? whole : work;
}

const isOff = (standing: Standing): boolean => standing.kind === "off" && standing.whole;

/**
 * Returns the change that brought a branch into `merge`: a squash, or the first merge of the first-parent line that
 * reaches the tip, or all of the branch if the line goes through its tip. Returns undefined if no such change is known.
 */
export async function broughtBy(repository: Repository, branch: BranchWork, merge: Oid): Promise<{ from: Oid; to: Oid } | undefined> {
  const to = await reaching(repository, branch, merge);
  if (to === branch.tip) return { from: branch.base, to };
  if (to === undefined) {
    const before = await firstParentOf(repository, merge);
    return (await squashedCommits(repository, [before], [merge])).includes(branch.tip) ? { from: before, to: merge } : undefined;
  }
  const from = await firstParentOf(repository, to);
  // The target may have had the work before by other commits.
  return (await treeOf(repository, from)) === (await treeOf(repository, to)) ? undefined : { from, to };
}

/** Returns the first commit of the first-parent line of `target` that reaches the tip of a branch. Returns undefined if none does. */
async function reaching(repository: Repository, { base, tip }: BranchWork, target: Oid): Promise<Oid | undefined> {
  if (!(await isAncestor(repository, tip, target))) return undefined;
  const args = ["rev-list", "--first-parent", "--reverse", "--end-of-options", target, `^${base}`];
  const line = (await runGit(repository, { ...ownGit(repository, "plain"), args })).text.split("\n").filter((oid) => oid !== "");
  if (line.length === 0 || line.includes(tip)) return tip;
  // Once a commit of the line reaches the tip, all after it do.
  let [low, high] = [0, line.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isAncestor(repository, tip, line[middle] ?? target)) high = middle;
    else low = middle + 1;
  }
  return line[low];
}

/** The first parent of a commit; the commit itself if it has none. */
export async function firstParentOf(repository: Repository, commit: Oid): Promise<Oid> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^1^{commit}`];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 1, 128] });
  return answer.code === 0 ? answer.text.trim() : commit;
}
