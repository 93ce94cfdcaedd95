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
 * How a branch that began at `base` got into `target`: by its own commits, or by one commit that makes the same
 * change, or names the branch's tip as what it holds (a squash). Undefined: it did not, as far as can be told.
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
  const own = ownGit(repository, "plain");
  const shared = ["--no-ext-diff", "--no-textconv", "--no-renames", "--full-index"];
  const one = await runGit(repository, { ...own, args: ["diff-tree", "-r", "-p", ...shared, branch.base, branch.tip] });
  const [wanted] = await patchIds(repository, one.stdout);
  if (wanted === undefined) return undefined;
  const range = `${branch.base}..${target}`;
  const all = await runGit(repository, {
    ...own,
    args: ["log", "-p", "--no-merges", `-${LOOKED_AT}`, ...shared, range],
    answers: [0, 128],
  });
  return (await patchIds(repository, all.stdout)).includes(wanted) ? "squash" : undefined;
}

/** What tells one change from another, wherever it is applied. */
async function patchIds(repository: Repository, patches: Uint8Array): Promise<string[]> {
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["patch-id", "--stable"], stdin: patches });
  return answer.text.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")[0] ?? ""]));
}
