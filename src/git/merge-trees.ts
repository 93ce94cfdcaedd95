import { GraftworkError } from "../domain/index.ts";
import { commitLike, mergeBase, renamesBetween, treeOf } from "./commit-objects.ts";
import { editTree, type TreeEdit } from "./edit-tree.ts";
import { attributesArgs } from "./merge-attributes.ts";
import { mergeWholeFiles } from "./merge-whole-files.ts";
import { type ConflictStage, type MergedTrees, type MergeMessage, type MergeSides, stageIn } from "./merged-trees.ts";
import { wantedName } from "./moved-names.ts";
import { isOid, type Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathText } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { treeDifferences } from "./tree-differences.ts";

/**
 * Merges two commits in memory, in our own git directory, under the repository's `mergeAttributes`. The result does not
 * depend on what is checked out. No driver runs, no ref or folder changes. `base` is one more merge base, which `ours`
 * does not hold. Throws GIT_FAILED, for unrelated histories too.
 */
export async function mergeTrees(repository: Repository, ours: Oid, theirs: Oid, base?: Oid): Promise<MergedTrees> {
  if (base === undefined) return mergeWith(repository, { ours, theirs });
  // git 2.38 takes no merge base. This commit is like `ours`, and has the base behind it.
  const standIn = await commitLike(repository, ours, { tree: await treeOf(repository, ours), parents: [ours, base] });
  return mergeWith(repository, { ours: standIn, theirs, base });
}

/** Limit for one merge: git can take hours for texts that were made for that. */
export const MERGE_TIMEOUT_MS = 60_000;

const TOO_LONG = `git did not merge it within ${MERGE_TIMEOUT_MS / 1000} seconds, so nobody compared the lines of files that both sides changed`;

/** Merges that timed out in this process. They are not tried again. */
const lateMerges = new Set<string>();

async function mergeWith(repository: Repository, { ours, theirs, base }: { ours: Oid; theirs: Oid; base?: Oid }): Promise<MergedTrees> {
  const name = `${ours} ${theirs}`;
  if (lateMerges.has(name)) return mergeWholeFiles(repository, { ours, theirs }, TOO_LONG);
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: [
      ...attributesArgs(repository),
      "-c",
      "merge.conflictStyle=diff3",
      "merge-tree",
      "--write-tree",
      "--messages",
      "-z",
      ours,
      theirs,
    ],
    answers: [0, 1],
    timeoutMs: MERGE_TIMEOUT_MS,
  });
  if (answer.late) lateMerges.add(name);
  if (answer.late) return mergeWholeFiles(repository, { ours, theirs }, TOO_LONG);
  const parsed = parseMergeTree(answer.code, pathText(answer.stdout), { ours, theirs });
  if (parsed !== undefined) return withWholeFolders(repository, parsed, { 2: ours, 3: theirs, base });
  // Exit 1 with nothing on stdout is an error (an unknown commit), not a conflict.
  throw new GraftworkError("GIT_FAILED", {
    message: `git could not merge ${theirs.slice(0, 12)} onto ${ours.slice(0, 12)}.`,
    because: answer.stderr.trim() === "" ? "git said nothing." : answer.stderr.trim(),
    try: "`git fsck` tells whether the repository is sound.",
    details: { ours, theirs },
  });
}

/**
 * If one side's folder and the other side's file want one name, git takes the folder's unchanged files out of the tree.
 * Somebody may decide for the folder, so they are put back.
 */
async function withWholeFolders(
  repository: Repository,
  merged: MergedTrees,
  commits: { 2: Oid; 3: Oid; base: Oid | undefined },
): Promise<MergedTrees> {
  if (merged.clean) return merged;
  const edits: TreeEdit[] = [];
  for (const path of new Set(merged.stages.filter(({ moved }) => moved !== undefined).map((stage) => stage.path))) {
    const folderOf = ([2, 3] as const).find((side) => !merged.stages.some((one) => one.path === path && one.stage === side));
    if (folderOf === undefined) continue;
    const [folder, other] = [commits[folderOf], commits[folderOf === 2 ? 3 : 2]];
    const base = commits.base ?? (await mergeBase(repository, folder, other));
    const renamed = base === undefined ? [] : (await renamesBetween(repository, base, other)).map(({ from }) => from);
    for (const { path: inside, from, to } of await treeDifferences(repository, merged.tree, folder))
      if (from === null && to !== null && inside.startsWith(`${path}/`) && !renamed.includes(inside)) edits.push({ path: inside, ...to });
  }
  return edits.length === 0 ? merged : { ...merged, tree: await editTree(repository, merged.tree, edits) };
}

function parseMergeTree(code: number, text: string, sides: MergeSides): MergedTrees | undefined {
  const [tree = "", ...rest] = text.split("\0");
  if (!isOid(tree)) return undefined;
  // An empty entry ends the stages: what follows are messages, in which any path may stand.
  const end = rest.indexOf("");
  const messages = messagesIn(end < 0 ? [] : rest.slice(end + 1));
  const isMerged = ({ kind }: MergeMessage): boolean => kind === AUTO_MERGED;
  if (code === 0) return { clean: true, tree, both: messages.filter(isMerged).flatMap(({ paths }) => paths) };
  const listed = (end < 0 ? rest : rest.slice(0, end)).flatMap((line) => stageIn(line) ?? []);
  const stages = atWantedNames(listed, messages, Object.values(sides));
  const paths = [...new Set(stages.map((stage) => stage.path))];
  return { clean: false, tree, stages, paths, messages: messages.filter((message) => !isMerged(message)), sides };
}

const AUTO_MERGED = "Auto-merging";

/** Puts stages under the names that their sides have. One stays where it is if that name has such a stage already. */
function atWantedNames(listed: readonly ConflictStage[], messages: readonly MergeMessage[], sides: readonly Oid[]): ConflictStage[] {
  const wantedBy = ({ path }: ConflictStage): string => {
    const wanted = wantedName(path, sides);
    // A project may have a file of such a name: only git tells which it made.
    return messages.some(({ paths }) => paths.includes(path) && paths.includes(wanted)) ? wanted : path;
  };
  return listed.map((one) => {
    const wanted = wantedBy(one);
    const numbers = (at: string): number[] => listed.filter(({ path }) => path === at).map(({ stage }) => stage);
    const isTaken = numbers(one.path).some((number) => numbers(wanted).includes(number));
    return wanted === one.path || isTaken ? one : { ...one, path: wanted, moved: one.path };
  });
}

/** Messages are `number of paths, paths…, kind, text`. git 2.39 ends the list with plain advice if submodules conflict: it is left out. */
function messagesIn(fields: readonly string[]): MergeMessage[] {
  const found: MergeMessage[] = [];
  for (let at = 0; at < fields.length; ) {
    const count = Number(fields[at]);
    if (!Number.isInteger(count) || count < 1) break;
    const [kind, text] = fields.slice(at + count + 1, at + count + 3);
    if (kind === undefined || text === undefined) break;
    found.push({ kind, paths: fields.slice(at + 1, at + 1 + count), text: text.trim() });
    at += count + 3;
  }
  return found;
}
