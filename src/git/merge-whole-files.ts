import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { mkdirSync, removeFile } from "../state/index.ts";
import { readBlob, treeOf, writeBlob } from "./commit-objects.ts";
import { mergeBases } from "./merge-bases.ts";
import type { ConflictStage, MergedTrees, MergeSides } from "./merged-trees.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";
import { emptyTree } from "./tree-differences.ts";

type Conflict = Extract<MergedTrees, { clean: false }>;

/**
 * Merges file by file: if both sides changed a file, that is a conflict. No lines are compared, and no file counts as renamed.
 * For commits that git takes too long to merge. The answer is always a conflict, since a person has to look at it.
 */
export async function mergeWholeFiles(repository: Repository, sides: MergeSides, why: string): Promise<Conflict> {
  const { scratch } = repository.layout;
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const indexFile = join(scratch, `index.${randomUUID()}`);
  const message = (paths: readonly string[]) => ({ kind: "CONFLICT (too long)", paths, text: why });
  try {
    const { tree, stages } = await mergeInIndex(repository, sides, indexFile);
    const paths = [...new Set(stages.map(({ path }) => path))];
    return { clean: false, late: true, tree, stages, paths, messages: [message(paths)], sides };
  } catch {
    // A file and a folder may want one name. Then nothing is merged.
    return { clean: false, late: true, tree: await treeOf(repository, sides.ours), stages: [], paths: [], messages: [message([])], sides };
  } finally {
    removeFile(indexFile);
    removeFile(`${indexFile}.lock`);
  }
}

async function mergeInIndex(repository: Repository, { ours, theirs }: MergeSides, indexFile: string) {
  const call = { ...ownGit(repository, "plain"), indexFile };
  const bases = (await mergeBases(repository, [ours, theirs]))(ours, theirs);
  const from = bases.length === 0 ? [emptyTree(repository)] : bases;
  await runGit(repository, { ...call, args: ["read-tree", "-i", "-m", "--aggressive", ...from, ours, theirs] });
  const listed = splitPaths(await runGit(repository, { ...call, args: ["ls-files", "--unmerged", "-z"] }));
  const stages = listed.flatMap((line): ConflictStage[] => {
    const [, mode = "", oid = "", stage = "1", path = ""] = /^(\d{6}) ([0-9a-f]+) ([123])\t([\s\S]+)$/.exec(line) ?? [];
    return path === "" ? [] : [{ mode, oid, stage: Number(stage) as 1 | 2 | 3, path }];
  });
  const zero = "0".repeat(repository.objectFormat === "sha256" ? 64 : 40);
  const paths = [...new Set(stages.map((stage) => stage.path))].sort();
  if (paths.some((path) => paths.some((other) => other.startsWith(`${path}/`)))) throw new Error("a file and a folder want one name");
  const lines: string[] = [];
  for (const path of paths) {
    const { mode, oid } = await bothTexts(
      repository,
      stages.filter((stage) => stage.path === path),
    );
    lines.push(`0 ${zero}\t${path}\0`, `${mode} ${oid}\t${path}\0`);
  }
  await runGit(repository, { ...call, args: ["update-index", "-z", "--index-info"], stdin: pathBytes(lines.join("")) });
  return { tree: (await runGit(repository, { ...call, args: ["write-tree"] })).text.trim(), stages };
}

/** Both texts between marks, so that nobody takes it for done. If only one side has the file, or a side has no plain file: one side's. */
async function bothTexts(repository: Repository, stages: readonly ConflictStage[]): Promise<{ mode: string; oid: string }> {
  const [mine, others] = ([2, 3] as const).map((side) => stages.find(({ stage }) => stage === side));
  const one = mine ?? others ?? stages[0];
  if (one === undefined) throw new Error("a conflict without a stage");
  if (mine === undefined || others === undefined || !isPlain(mine) || !isPlain(others)) return one;
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
