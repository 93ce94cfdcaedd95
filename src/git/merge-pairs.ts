import { GraftworkError } from "../domain/index.ts";
import { attributesArgs } from "./merge-attributes.ts";
import { MERGE_TIMEOUT_MS, mergeTrees } from "./merge-trees.ts";
import { stageIn } from "./merged-trees.ts";
import { wantedName } from "./moved-names.ts";
import { isOid, type Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";

export type PairMerge = {
  clean: boolean;
  /** Paths with stages; may be empty in a conflict that is about folders alone. */
  paths: readonly string[];
};

/** What `git merge-tree` exits with if it does not know `--stdin`: git 2.38. */
const UNKNOWN_OPTION = 129;

/**
 * Merges each pair of commits in memory, all in one git, and says which conflict. The merged trees are written: call it
 * in a quarantine. Throws GIT_FAILED for what is no commit.
 */
export async function mergePairs(repository: Repository, pairs: readonly (readonly [ours: Oid, theirs: Oid])[]): Promise<PairMerge[]> {
  if (pairs.length === 0) return [];
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    // Without messages: they are for people, and one of them (about submodules) breaks the form they are in.
    args: [...attributesArgs(repository), "merge-tree", "--write-tree", "--no-messages", "--allow-unrelated-histories", "-z", "--stdin"],
    stdin: pairs.map(([ours, theirs]) => `${ours} ${theirs}\n`).join(""),
    answers: [0, UNKNOWN_OPTION],
    timeoutMs: MERGE_TIMEOUT_MS + 1000 * pairs.length,
  });
  if (answer.late || answer.code === UNKNOWN_OPTION) return oneByOne(repository, pairs);
  const merges = parseMergeRecords(splitPaths(answer));
  if (merges?.length === pairs.length)
    return merges.map(({ clean, paths }, index) => ({
      clean,
      paths: [...new Set(paths.map((path) => wantedName(path, pairs[index] ?? [])))],
    }));
  throw new GraftworkError("GIT_FAILED", {
    message: "git merge-tree answered in a form that is not known.",
    because: `of ${pairs.length} merges, ${merges?.length ?? "not one"} could be read.`,
    try: "report this with what `git --version` says; nothing was changed.",
  });
}

async function oneByOne(repository: Repository, pairs: readonly (readonly [ours: Oid, theirs: Oid])[]): Promise<PairMerge[]> {
  const merges: PairMerge[] = [];
  for (const [ours, theirs] of pairs) {
    const merged = await mergeTrees(repository, ours, theirs);
    merges.push({ clean: merged.clean, paths: merged.clean ? [] : merged.paths });
  }
  return merges;
}

/** Records of `--stdin`: `1` (clean) or `0`, the tree, stages of conflicted files, an empty field. Undefined: something else. */
export function parseMergeRecords(fields: readonly string[]): PairMerge[] | undefined {
  const merges: PairMerge[] = [];
  for (let at = 0; at < fields.length; ) {
    const [status, tree = ""] = fields.slice(at, at + 2);
    const end = fields.indexOf("", at + 2);
    if ((status !== "0" && status !== "1") || !isOid(tree) || end < 0) return undefined;
    const paths = fields.slice(at + 2, end).map((line) => stageIn(line)?.path);
    if (paths.includes(undefined) || (status === "1" && paths.length > 0)) return undefined;
    merges.push({ clean: status === "1", paths: [...new Set(paths as string[])] });
    at = end + 1;
  }
  return merges;
}
