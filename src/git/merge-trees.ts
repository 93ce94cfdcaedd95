import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { replaceFile, rmSync } from "../state/index.ts";
import { parentsOf } from "./commit-objects.ts";
import { attributesArgs } from "./merge-attributes.ts";
import { isOid, type Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathText } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** One side of a conflicted file: stage 1 is the merge base, 2 ours, 3 theirs. */
export type ConflictStage = { mode: string; oid: Oid; stage: 1 | 2 | 3; path: string };

/** What git says about a conflict: its short name for the kind, the paths that it names, and its sentence. */
export type MergeMessage = { kind: string; paths: readonly string[]; text: string };

export type MergedTrees =
  /** `both`: files that both sides changed and git merged by itself, as far as git says so. */
  | { clean: true; tree: Oid; both: readonly string[] }
  /** `tree` holds the conflicted files with markers in them. `paths` is empty if folders alone collide: see `messages`. */
  | { clean: false; tree: Oid; stages: readonly ConflictStage[]; paths: readonly string[]; messages: readonly MergeMessage[] };

/**
 * Merges two commits in memory, in our own git directory, under the repository's `mergeAttributes`. The result does not
 * depend on what is checked out. No driver runs, no ref or folder changes. `base` is a merge base that `ours` does not
 * hold. Throws GIT_FAILED, for unrelated histories too.
 */
export async function mergeTrees(repository: Repository, ours: Oid, theirs: Oid, base?: Oid): Promise<MergedTrees> {
  if (base === undefined) return mergeWith(repository, { ours, theirs });
  // A graft is the only way in which git 2.38 takes a merge base.
  const parents = await parentsOf(repository, ours);
  const graft = join(repository.layout.scratch, `graft.${randomUUID()}`);
  replaceFile(graft, `${[ours, ...parents, base].join(" ")}\n`);
  try {
    return await mergeWith(repository, { ours, theirs, graft });
  } finally {
    rmSync(graft, { force: true });
  }
}

async function mergeWith(
  repository: Repository,
  { ours, theirs, graft }: { ours: Oid; theirs: Oid; graft?: string },
): Promise<MergedTrees> {
  const own = ownGit(repository, "plain");
  const answer = await runGit(repository, {
    ...own,
    ...(graft !== undefined && { env: { ...own.env, GIT_GRAFT_FILE: graft } }),
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
  });
  const parsed = parseMergeTree(answer.code, pathText(answer.stdout));
  if (parsed !== undefined) return parsed;
  // Exit 1 with nothing on stdout is an error (an unknown commit), not a conflict.
  throw new GraftworkError("GIT_FAILED", {
    message: `git could not merge ${theirs.slice(0, 12)} onto ${ours.slice(0, 12)}.`,
    because: answer.stderr.trim() === "" ? "git said nothing." : answer.stderr.trim(),
    try: "`git fsck` tells whether the repository is sound.",
    details: { ours, theirs },
  });
}

export function parseMergeTree(code: number, text: string): MergedTrees | undefined {
  const [tree = "", ...rest] = text.split("\0");
  if (!isOid(tree)) return undefined;
  // An empty entry ends the stages: what follows are messages, in which any path may stand.
  const end = rest.indexOf("");
  const messages = messagesIn(end < 0 ? [] : rest.slice(end + 1));
  const isMerged = ({ kind }: MergeMessage): boolean => kind === AUTO_MERGED;
  if (code === 0) return { clean: true, tree, both: messages.filter(isMerged).flatMap(({ paths }) => paths) };
  const stages: ConflictStage[] = [];
  for (const line of end < 0 ? rest : rest.slice(0, end)) {
    const match = /^(\d{6}) ([0-9a-f]{40,64}) ([123])\t([\s\S]+)$/.exec(line);
    if (match === null) continue;
    const [, mode = "", oid = "", stage = "1", path = ""] = match;
    stages.push({ mode, oid, stage: Number(stage) as 1 | 2 | 3, path });
  }
  const paths = [...new Set(stages.map((stage) => stage.path))];
  return { clean: false, tree, stages, paths, messages: messages.filter((message) => !isMerged(message)) };
}

const AUTO_MERGED = "Auto-merging";

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
