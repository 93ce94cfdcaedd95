import { join } from "node:path";
import {
  type ConflictStage,
  changedPaths,
  mergeBase,
  mergeTrees,
  type Oid,
  patchBetween,
  plainPath,
  type Repository,
  readBlob,
  readFileAt,
  subjects,
} from "../git/index.ts";
import { replaceFile } from "../state/index.ts";
import { textsOf } from "./conflict-sides.ts";
import { type LeftFile, leftText, type Resolving, resolveConflicts } from "./resolve-conflicts.ts";
import { splitLines } from "./resolvers/align/text-lines.ts";
import { mergeLines } from "./resolvers/align/three-way.ts";
import { shellWord } from "./shell-word.ts";

export type PacketInput = {
  /** Folder to write into: `.claude/conflicts/<run>/<task>`. */
  folder: string;
  run: string;
  task: string;
  title: string;
  branch: string;
  /** The task's commit; null where the agent asked for a person before it made one. */
  commit: Oid | null;
  target: string;
  /** The target's commit that it collides with. */
  onto: Oid;
  reason: string;
  tried: readonly string[];
  resolving: Resolving;
  now: Date;
};

const DIFF_BYTES = 200_000;

/** Where a packet has one of its files: with markers (`files`), or as a side has it. */
export function fileIn(folder: string, part: "files" | "base" | "ours" | "theirs", path: string): string {
  return join(folder, part, plainPath(path));
}

/**
 * Writes what a person needs to decide a conflict. Returns false, and writes nothing, where the commit merges by
 * now (who it collided with was ejected, or a rule closes it).
 */
export async function writePacket(repository: Repository, input: PacketInput): Promise<boolean> {
  const { folder, commit, onto } = input;
  const merged = commit === null ? undefined : await mergeTrees(repository, onto, commit);
  if (merged?.clean === true) return false;
  const rules = merged === undefined ? undefined : await resolveConflicts(repository, merged, input.resolving);
  if (rules?.kind === "resolved") return false;
  const left = new Map(rules?.files.map((file) => [file.path, file]));
  const stages = merged?.stages ?? [];
  const paths = merged?.paths ?? [];
  const base = commit === null ? undefined : await mergeBase(repository, onto, commit);
  for (const path of paths) {
    const of = stages.filter((stage) => stage.path === path);
    // A folder for each side, as in its tree: beside the marked file, a side could have the name of another file.
    for (const stage of of)
      if (stage.mode !== "160000") replaceFile(fileIn(folder, SIDES[stage.stage], path), await readBlob(repository, stage.oid));
    const marked = merged === undefined ? undefined : await readFileAt(repository, merged.tree, path);
    if (marked !== undefined) replaceFile(fileIn(folder, "files", path), named(marked, onto, commit));
  }
  if (commit !== null && base !== undefined) {
    replaceFile(join(folder, "ours.diff"), await patchBetween(repository, base, onto, DIFF_BYTES));
    replaceFile(join(folder, "theirs.diff"), await patchBetween(repository, base, commit, DIFF_BYTES));
  }
  const facts = {
    schema: 1,
    run: input.run,
    task: input.task,
    title: input.title,
    branch: input.branch,
    target: input.target,
    kind: commit === null ? "blocked" : kindOf(stages),
    reason: input.reason,
    commits: { base: base ?? null, ours: onto, theirs: commit },
    files: await Promise.all(paths.map((path) => fileFacts(repository, path, stages, left.get(path)))),
    ours_changed: base === undefined ? [] : await whoChanged(repository, base, onto, paths),
    tried: [...[...left.values()].map(leftText), ...input.tried],
    commands: commandsOf(input.task, paths),
    written_at: input.now.toISOString(),
  };
  // Choices were made about another conflict of the same task.
  replaceFile(join(folder, "choices.json"), "{}\n");
  replaceFile(join(folder, "packet.json"), `${JSON.stringify(facts, null, 2)}\n`);
  replaceFile(join(folder, "README.md"), readme(input, facts, paths));
  return true;
}

async function fileFacts(repository: Repository, path: string, all: readonly ConflictStage[], left: LeftFile | undefined): Promise<object> {
  const stages = all.filter((stage) => stage.path === path);
  return {
    path,
    kind: kindOf(stages),
    stages: stages.map(({ mode, oid, stage }) => ({ side: SIDES[stage], mode, oid })),
    hunks: await hunksOf(repository, stages),
    resolvers: resolversSay(left),
  };
}

/** The places where both sides' texts differ; none where a side is missing, is no text, or is a submodule. */
async function hunksOf(repository: Repository, stages: readonly ConflictStage[]): Promise<object[]> {
  const sides = await textsOf(repository, stages);
  if (sides?.ours === undefined || sides.theirs === undefined) return [];
  const parts = mergeLines(splitLines(sides.base ?? ""), splitLines(sides.ours), splitLines(sides.theirs));
  return parts.flatMap((part) => {
    if (part.kind !== "hunk") return [];
    const { base, ours, theirs } = part.hunk;
    return [{ base: base.join(""), ours: ours.join(""), theirs: theirs.join("") }];
  });
}

/** Conflict markers with the sides' names in place of commit ids. Bytes that are no text stay as they are. */
function named(marked: Buffer, ours: Oid, theirs: Oid | null): Buffer | string {
  const text = marked.toString("utf8");
  if (!Buffer.from(text).equals(marked)) return marked;
  return text
    .replace(new RegExp(`^<{7} ${ours}$`, "gm"), "<<<<<<< ours (the target)")
    .replace(new RegExp(`^>{7} ${theirs ?? ""}$`, "gm"), ">>>>>>> theirs (the task)");
}

const SIDES = { 1: "base", 2: "ours", 3: "theirs" } as const;

/** What kind of conflict the stages of one or more paths make. */
export function kindOf(stages: readonly ConflictStage[]): string {
  const byPath = new Map<string, Set<number>>();
  for (const stage of stages) byPath.set(stage.path, (byPath.get(stage.path) ?? new Set()).add(stage.stage));
  const kinds = new Set(
    [...byPath.values()].map((sides) => {
      if (sides.has(1) && sides.has(2) && sides.has(3)) return "content";
      if (!sides.has(1) && sides.size === 2) return "add/add";
      return sides.has(1) && sides.size === 2 ? "modify/delete" : "rename";
    }),
  );
  return kinds.size === 1 ? ([...kinds][0] ?? "content") : [...kinds].sort().join(", ");
}

async function whoChanged(repository: Repository, base: Oid, onto: Oid, paths: readonly string[]): Promise<string[]> {
  const changed = new Set(await changedPaths(repository, base, onto));
  return paths.some((path) => changed.has(path)) ? subjects(repository, base, onto, 20) : [];
}

function commandsOf(task: string, paths: readonly string[]): string[] {
  const path = plainPath(paths[0] ?? "PATH");
  return [
    `graftwork resolve ${task} --open`,
    `graftwork resolve ${task} --ours ${shellWord(path)}`,
    `graftwork resolve ${task} --theirs ${shellWord(path)}`,
    `graftwork resolve ${task} --take-file ${shellWord(path)}=FILE`,
    `graftwork resolve ${task} --done`,
    `graftwork resolve ${task} --retry-agent`,
    `graftwork resolve ${task} --skip`,
    "graftwork continue",
  ];
}

/** Null where rules closed the file: it waits for the others. */
function resolversSay(left: LeftFile | undefined): { declined: string; resolved_by: readonly string[]; places_left: number } | null {
  return left === undefined ? null : { declined: left.why, resolved_by: left.solved, places_left: left.hunksLeft };
}

/** A name with a line break, a backtick or a terminal's codes in it must not write a part of the page. */
function shown(path: string): string {
  const plain = plainPath(path);
  return /^[^\p{Cc}`]+$/u.test(plain) ? plain : JSON.stringify(plain).replaceAll("`", "\\u0060");
}

type Told = { kind: string; tried: readonly string[]; ours_changed: readonly string[] };

function readme(input: PacketInput, { kind, tried, ours_changed: others }: Told, paths: readonly string[]): string {
  const { task, title, branch, target, reason } = input;
  if (input.commit === null) {
    return `# ${task} waits for a person\n\n**${title}**\n\nIt stopped with: ${reason}\n\nWhen that is settled: \`graftwork resolve ${task} --retry-agent\`, or \`--skip\` to go on without it, then \`graftwork continue\`.\n`;
  }
  return [
    `# ${task} collides with what is on ${target} now`,
    "",
    `**${title}** (branch \`${branch}\`) and \`${target}\` both changed ${paths.map((path) => `\`${shown(path)}\``).join(", ")} (${kind}). Merging one way or the other would lose one side's intent, so nothing was merged: ${target} is as it was, and only tasks that depend on ${task} wait.`,
    "",
    "## What is here",
    "",
    "- `files/PATH`: the file with conflict markers; `ours/PATH` (the target's), `theirs/PATH` (the task's) and `base/PATH` (before both)",
    "- `ours.diff`, `theirs.diff`: what each side changed since they parted",
    ...(others.length === 0 ? [] : ["", "On the target since then:", "", ...others.map((subject) => `- ${subject}`)]),
    ...(tried.length === 0 ? [] : ["", "Tried already:", "", ...tried.map((text) => `- ${text.replace(/\p{Cc}/gu, " ")}`)]),
    "",
    "## How to go on",
    "",
    `1. \`graftwork resolve ${task} --open\` lays the merge out in a slot, with these markers; resolve it there. Or edit the files under \`files/\` here until no markers are left, or choose a side: \`graftwork resolve ${task} --ours PATH\`, \`--theirs PATH\`, \`--take-file PATH=FILE\`.`,
    `2. \`graftwork resolve ${task} --done\` makes the merge on \`${branch}\`; it is verified like any branch.`,
    "3. `graftwork continue` lands it, and what depends on it.",
    "",
    `Or \`graftwork resolve ${task} --retry-agent\` (its agent tries again), or \`--skip\` (go on without it; the branch is kept).`,
    "",
  ].join("\n");
}
