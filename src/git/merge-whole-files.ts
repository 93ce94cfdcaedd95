import { readBlob, treeOf, writeBlob } from "./commit-objects.ts";
import { type TreeEdit, treeOfIndex } from "./edit-tree.ts";
import { mergeBases } from "./merge-bases.ts";
import { type ConflictStage, type MergedTrees, type MergeSides, stageIn } from "./merged-trees.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";
import { withScratchIndex } from "./scratch-index.ts";
import { emptyTree } from "./tree-differences.ts";

type Conflict = Extract<MergedTrees, { clean: false }>;

/**
 * Merges file by file: if both sides changed a file, that is a conflict. No lines are compared, and no file counts as renamed.
 * For commits that git takes too long to merge. The answer is always a conflict, since a person has to look at it.
 */
export async function mergeWholeFiles(repository: Repository, sides: MergeSides, why: string): Promise<Conflict> {
  const merged = await withScratchIndex(repository, (indexFile) => mergeInIndex(repository, sides, indexFile));
  const { tree, stages } = merged ?? { tree: await treeOf(repository, sides.ours), stages: [] };
  const paths = pathsOf(stages);
  return { clean: false, late: true, tree, stages, paths, messages: [{ kind: "CONFLICT (too long)", paths, text: why }], sides };
}

/** Returns undefined if a file and a folder have the same path: then this merge would take one of them out of the tree. */
async function mergeInIndex(repository: Repository, { ours, theirs }: MergeSides, indexFile: string) {
  const call = { ...ownGit(repository, "plain"), indexFile };
  const bases = (await mergeBases(repository, [ours, theirs]))(ours, theirs);
  const from = bases.length === 0 ? [emptyTree(repository)] : bases;
  await runGit(repository, { ...call, args: ["read-tree", "-i", "-m", "--aggressive", ...from, ours, theirs] });
  const listed = splitPaths(await runGit(repository, { ...call, args: ["ls-files", "--unmerged", "-z"] }));
  const stages = listed.flatMap((line) => stageIn(line) ?? []);
  const paths = pathsOf(stages);
  if (paths.some((path) => paths.some((other) => other.startsWith(`${path}/`)))) return undefined;
  const edits: TreeEdit[] = [];
  for (const path of paths) {
    const own = stages.filter((stage) => stage.path === path);
    edits.push({ path, ...(await bothTexts(repository, own)) });
  }
  return { tree: await treeOfIndex(repository, indexFile, edits), stages };
}

const pathsOf = (stages: readonly ConflictStage[]): string[] => [...new Set(stages.map(({ path }) => path))];

/**
 * Returns both sides' texts between conflict markers, so that nobody takes the file for merged. If only one side has the file,
 * or a side has a link there, returns one side's.
 */
async function bothTexts(repository: Repository, stages: readonly ConflictStage[]): Promise<{ mode: string; oid: string }> {
  const [mine, others] = ([2, 3] as const).map((side) => stages.find(({ stage }) => stage === side));
  const one = mine ?? others;
  if (one === undefined) throw new Error("neither side has the conflicted file");
  if (mine === undefined || others === undefined || !isPlain(mine) || !isPlain(others)) return { mode: one.mode, oid: one.oid };
  const texts = [
    Buffer.from("<<<<<<< the target\n"),
    await readBlob(repository, mine.oid),
    Buffer.from("\n=======\n"),
    await readBlob(repository, others.oid),
    Buffer.from("\n>>>>>>> the task\n"),
  ];
  return { mode: mine.mode, oid: await writeBlob(repository, Buffer.concat(texts)) };
}

const isPlain = ({ mode }: ConflictStage): boolean => mode.startsWith("100");
