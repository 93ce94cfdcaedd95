import { treeOf } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { isAncestor } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { squashedCommits } from "./squashed-commits.ts";

/** Commits of the target that are compared with a branch: beyond that a branch counts as not merged. */
const LOOKED_AT = 1_000;

/**
 * How a branch that began at `base` got into `target`: by its own commits, or by commits that make the same
 * changes, or by one that names the branch's tip as what it holds (a squash). Undefined: it did not, as far as can be told.
 */
export async function integratedBy(
  repository: Repository,
  branch: { base: Oid; tip: Oid },
  target: Oid,
): Promise<"ancestor" | "squash" | undefined> {
  if (await isAncestor(repository, branch.tip, target)) return "ancestor";
  if ((await treeOf(repository, branch.tip)) === (await treeOf(repository, target))) return "squash";
  // What is squashed in parts, or merged into its surroundings, is no one patch of the target.
  if ((await squashedCommits(repository, branch.base, target)).includes(branch.tip)) return "squash";
  const wanted = await patchOf(repository, branch.base, branch.tip);
  if (wanted === undefined) return undefined;
  const there = new Set((await patchesOf(repository, branch.base, target)).map(({ patch }) => patch));
  if (there.has(wanted)) return "squash";
  // A rebase or a pick leaves its commits one by one.
  const own = await patchesOf(repository, branch.base, branch.tip);
  return own.length > 0 && own.every(({ patch }) => there.has(patch)) ? "squash" : undefined;
}

/**
 * For each change (`from` to `to`) that `target` holds: the commit that took it back there, if one did and none brought
 * it again since.
 */
export async function revertsOf(
  repository: Repository,
  changes: readonly { from: Oid; to: Oid }[],
  target: Oid,
): Promise<(Oid | undefined)[]> {
  return Promise.all(
    changes.map(async ({ from, to }) => {
      if (to === target) return undefined;
      const since = await patchesOf(repository, to, target);
      if (since.length === 0) return undefined;
      const [forth, back] = await Promise.all([patchOf(repository, from, to), patchOf(repository, to, from)]);
      const newest = since.find(({ patch }) => patch === forth || patch === back);
      return newest?.patch === back ? newest?.commit : undefined;
    }),
  );
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

const SHARED = ["--no-ext-diff", "--no-textconv", "--no-renames", "--full-index"];

/** The patch id of one change; undefined if it changes nothing. */
async function patchOf(repository: Repository, from: Oid, to: Oid): Promise<string | undefined> {
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["diff-tree", "-r", "-p", ...SHARED, from, to] });
  return (await patchIds(repository, answer.stdout))[0]?.patch;
}

/** The patch ids of the commits in `from..to`, merges apart, newest first. */
async function patchesOf(repository: Repository, from: Oid, to: Oid): Promise<{ patch: string; commit: Oid }[]> {
  const args = ["log", "-p", "--no-merges", `-${LOOKED_AT}`, ...SHARED, `${from}..${to}`];
  const all = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 128] });
  return patchIds(repository, all.stdout);
}

/** What tells one change from another, wherever it is applied. */
async function patchIds(repository: Repository, patches: Uint8Array): Promise<{ patch: string; commit: Oid }[]> {
  if (patches.length === 0) return [];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["patch-id", "--stable"], stdin: patches });
  return answer.text.split("\n").flatMap((line) => {
    const [patch = "", commit = ""] = line.split(" ");
    return patch === "" ? [] : [{ patch, commit }];
  });
}
