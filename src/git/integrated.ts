import { mergeBase, treeOf } from "./commit-objects.ts";
import { askOfObjects } from "./object-answers.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { isAncestor } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { squashesIn } from "./squashed-commits.ts";
import { type Standing, standingOf } from "./standing.ts";
import { partTakenOff } from "./taken-lines.ts";
import type { BranchWork } from "./work-parts.ts";

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
  if (await isAncestor(repository, branch.tip, target)) return "ancestor";
  if ((await treeOf(repository, branch.tip)) === (await treeOf(repository, target))) return "squash";
  const at = await squashOf(repository, branch, target);
  const { kind } = await standingOfWork(repository, branch, target, { at });
  if (kind === "never") return undefined;
  // A squash may have been merged into its surroundings, so that it makes another change.
  return kind === "there" || (kind === "edited" && at !== undefined) ? "squash" : "once";
}

/** Tells if `target` has all work of a branch now, by the branch's own commits or by others. */
export async function isIntegrated(repository: Repository, branch: BranchWork, target: Oid): Promise<boolean> {
  const how = await integratedBy(repository, branch, target);
  return how === "ancestor" || how === "squash";
}

/**
 * Tells how a branch's own work stands on `target`, if `at` brought it there. Commits that the branch merged from the target
 * do not count. `landed`: the commit by which a landing of ours brought it.
 */
async function standingOfWork(
  repository: Repository,
  branch: BranchWork,
  target: Oid,
  { at, landed }: { at: Oid | undefined; landed?: Oid | undefined },
): Promise<Standing> {
  const from = await beginOf(repository, branch, at ?? target, at !== undefined);
  return standingOf(repository, { from, to: branch.tip }, target, at === undefined ? undefined : { at, asItIs: at === landed });
}

/** Returns where a branch's own work begins: at the last commit that it merged from the target, or else at its base. */
async function beginOf(repository: Repository, { base, tip }: BranchWork, target: Oid, isThere: boolean): Promise<Oid> {
  if (!isThere) return (await isAncestor(repository, base, target)) ? ((await mergeBase(repository, target, tip)) ?? base) : base;
  // The target has the whole branch, so only the branch's merges tell.
  const args = ["rev-list", "--first-parent", "--merges", "-1", "--no-commit-header", "--format=%P", tip, `^${base}`];
  const [, merged] = (await askOfObjects(repository, { args, of: [tip, base] })).text.trim().split(" ");
  return merged !== undefined && (await isAncestor(repository, base, merged)) ? merged : base;
}

/**
 * Tells how a branch's own work stands on `target`. If the target never had all of it, or edited it since, this also finds
 * a part that was taken off. `notOwn`: commits that were made on the target, and the branch may have been put on.
 */
export async function standingInParts(repository: Repository, work: BranchWork, target: Oid, notOwn: ReadonlySet<Oid>): Promise<Standing> {
  const standing = await standingOfWork(repository, work, target, { at: await bringing(repository, work, target) });
  if (standing.kind === "there" || standing.kind === "off") return standing;
  const by = await partTakenOff(repository, work, target, notOwn);
  return by === undefined ? standing : { kind: "off", by, whole: false };
}

/**
 * Tells how the work of a branch stands on `target`, which got it. A revert of a merge differs from one of the branch if
 * others changed lines nearby, so both are looked at. `landed`: the commit by which a landing of ours brought it.
 */
export async function standingOfMerged(
  repository: Repository,
  branch: BranchWork,
  target: Oid,
  landed: Oid | undefined,
): Promise<Standing> {
  const work = await standingOfWork(repository, branch, target, { at: await bringing(repository, branch, target), landed });
  const brought = work.kind === "there" || isOff(work) ? undefined : await broughtBy(repository, branch, landed ?? target);
  if (brought === undefined) return work;
  const isThere = await isAncestor(repository, brought.to, target);
  const whole = await standingOf(repository, brought, target, isThere ? { at: brought.to, asItIs: true } : undefined);
  return work.kind === "never" || whole.kind === "there" || isOff(whole) ? whole : work;
}

const isOff = (standing: Standing): boolean => standing.kind === "off" && standing.whole;

/**
 * Returns the change that brought a branch into `target`: that of a squash or merge, or all of the branch if the target was
 * moved forward to its tip. Returns undefined if no such change is known.
 */
export async function broughtBy(repository: Repository, branch: BranchWork, target: Oid): Promise<{ from: Oid; to: Oid } | undefined> {
  const to = await bringing(repository, branch, target);
  if (to === undefined) return undefined;
  if (to === branch.tip) return { from: await beginOf(repository, branch, target, true), to };
  const from = await firstParentOf(repository, to);
  // The target may have had the work before by other commits.
  return (await treeOf(repository, from)) === (await treeOf(repository, to)) ? undefined : { from, to };
}

/** Returns the commit of the first-parent line of `target` that brought a branch. Returns undefined if none is known. */
async function bringing(repository: Repository, branch: BranchWork, target: Oid): Promise<Oid | undefined> {
  return (await reaching(repository, branch, target)) ?? (await squashOf(repository, branch, target));
}

/** Returns the newest commit of the first-parent line of `target` that says that it brings this branch. */
async function squashOf(repository: Repository, { base, tip }: BranchWork, target: Oid): Promise<Oid | undefined> {
  return (await squashesIn(repository, [base], [target])).find(({ of }) => of === tip)?.commit;
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
