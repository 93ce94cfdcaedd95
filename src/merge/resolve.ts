import { statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { GraftworkError, shellWord } from "../domain/index.ts";
import {
  type ConflictStage,
  editTree,
  isAncestor,
  listWorktrees,
  type MergedTrees,
  type Oid,
  type Person,
  plainPath,
  type RefChange,
  type Repository,
  readFileAt,
  readRef,
  type TreeEdit,
  unsafePathIn,
  writeBlob,
} from "../git/index.ts";
import { readBytes, readText, replaceFile } from "../state/index.ts";
import { gitSays } from "./conflict-kind.ts";
import { isOrdinary, laidName, markersLeft, namesByGit } from "./conflict-sides.ts";
import { commitByHand, keepResolution, markersStand, nameByGit, undecided, undecidedNames } from "./hand-resolution.ts";
import { mergeWork } from "./merge-work.ts";
import { fileIn, sha256 } from "./packet-files.ts";

/** What a person decided for one path of a packet. */
export type Choice = { kind: "ours" } | { kind: "theirs" } | { kind: "file"; file: string };

const PacketSchema = v.object({
  kind: v.optional(v.string(), ""),
  reason: v.optional(v.string(), ""),
  branch: v.string(),
  commits: v.object({ base: v.optional(v.nullable(v.string()), null), ours: v.string(), theirs: v.nullable(v.string()) }),
  files: v.array(
    v.object({
      path: v.string(),
      laid_as: v.optional(v.string()),
      in_slot: v.optional(v.boolean(), false),
      written: v.optional(v.nullable(v.string()), null),
    }),
  ),
});
const ChoicesSchema = v.record(v.string(), v.picklist(["ours", "theirs", "file"]));

export type Packet = { folder: string; task: string } & v.InferOutput<typeof PacketSchema>;

/** Throws TASK_UNKNOWN where the task has no packet, CONFLICT where it cannot be read. */
export function readPacket(folder: string, task: string): Packet {
  const text = readText(join(folder, "packet.json"));
  if (text === undefined) {
    throw new GraftworkError("TASK_UNKNOWN", {
      message: `${task} has no conflict to resolve.`,
      because: `there is no packet in ${folder}.`,
      try: "`graftwork status` shows which tasks wait for a person.",
    });
  }
  return { folder, task, ...parsePart(PacketSchema, { folder, task }, "packet.json", text) };
}

/** People edit files beside these two. */
function parsePart<T>(
  schema: v.GenericSchema<unknown, T>,
  { folder, task }: { folder: string; task: string },
  name: string,
  text: string,
): T {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch {
    throw new GraftworkError("CONFLICT", {
      message: `The packet of ${task} cannot be read.`,
      because: `${join(folder, name)} is not as it was written.`,
      try: `\`graftwork resolve ${task} --retry-agent\` does the task again, \`--skip\` leaves it out; the branch is kept.`,
      details: { task },
    });
  }
}

/**
 * Keeps a choice in the packet, for `--done`; `name` is a path as `fileIn` writes it. Throws USAGE where the packet has no
 * such path, CONFLICT where it is decided in a slot.
 */
export function choose(packet: Packet, name: string, choice: Choice): void {
  const { path, laid_as: laid = path, in_slot: inASlot } = requireFile(packet, name);
  if (inASlot) throw renamedHere(packet.task, path);
  const content = choice.kind === "file" ? readBytes(choice.file) : undefined;
  if (choice.kind === "file" && content === undefined) {
    throw new GraftworkError("USAGE", {
      message: `${choice.file} cannot be read.`,
      because: statSync(choice.file, { throwIfNoEntry: false })?.isDirectory() === true ? "it is a folder." : "there is no such file.",
      try: `\`graftwork resolve ${packet.task} --take-file ${path}=FILE\`.`,
    });
  }
  if (content !== undefined) replaceFile(fileIn(packet.folder, "files", laid), content);
  replaceFile(choicesFile(packet), `${JSON.stringify({ ...choicesOf(packet), [path]: choice.kind }, null, 2)}\n`);
}

/**
 * Merges the target into the task's branch as the person decided: chosen sides, else the edited files of the packet.
 * The decision is about the target as the packet shows it, so that commit is merged, not `onto`, where the target is
 * now: what it got since then is merged, and verified, when the result lands. Returns the new commit; the branch
 * points to it. Throws CONFLICT if markers are left, a file is undecided, names collide and not lines (that is decided
 * in a slot), or the target was taken back behind the packet.
 */
export async function finishResolution(
  repository: Repository,
  packet: Packet,
  onto: Oid,
  person: Person,
  fence: readonly RefChange[],
): Promise<Oid> {
  const { branch, task } = packet;
  const theirs = requireMerge(packet);
  const { target, merged } = await resolvedOnto(repository, packet, onto);
  if (!merged.clean && merged.paths.length === 0) {
    const [says] = gitSays(merged);
    throw undecidedNames(task, { says, next: inSlot(task) });
  }
  const stages = merged.clean ? [] : merged.stages;
  const edits: TreeEdit[] = [];
  // A folder's name is sorted before what is in it.
  for (const path of merged.clean ? [] : merged.paths.toSorted())
    if (!isReplaced(path, edits)) edits.push(...(await editsFor(repository, packet, path, { stages, tree: merged.tree })));
  const stays = (merged.clean ? [] : namesByGit(merged)).find((name) => !edits.some((edit) => edit.path === name && "remove" in edit));
  if (stays !== undefined) throw nameByGit(task, { name: stays, next: inSlot(task) });
  const tree = await editTree(repository, merged.tree, edits);
  const ref = `refs/heads/${branch}`;
  const old = await readRef(repository, ref);
  const isCheckedOut = (await listWorktrees(repository)).some((worktree) => worktree.branch === ref);
  const made = { task, branch, how: `: ${merged.clean ? "" : merged.paths.join(", ")}` };
  const commit = await commitByHand(repository, made, { tree, parents: [theirs, target], person });
  // A branch that went on since then, or that somebody looks at, stays where it is: the resolution lands by its commit.
  const moves = old === theirs && !isCheckedOut ? [{ ref, set: commit, old: theirs }] : [];
  await keepResolution(repository, task, commit, [...fence, ...moves]);
  return commit;
}

/** The task's commit that is to be merged. Throws USAGE where its agent stopped before it made one. */
export function requireMerge({ task, branch, commits }: Packet): Oid {
  if (commits.theirs !== null) return commits.theirs;
  throw new GraftworkError("USAGE", {
    message: `${task} has no merge to finish.`,
    because: "its attempt ended without a result.",
    try: `\`graftwork resolve ${task} --done\` takes what is on ${branch}; or \`--retry-agent\`, or \`--skip\`.`,
  });
}

/**
 * Returns the tip of a task's branch after an attempt without a result, and keeps it under a ref. The commit is not a
 * person's decision: it is scanned and verified like any work. Throws USAGE if the branch has no commit beyond `base`, or a
 * path that git could not check out.
 */
export async function takeBranch(
  repository: Repository,
  { task, branch }: Packet,
  base: Oid | null,
  fence: readonly RefChange[],
): Promise<Oid> {
  const tip = await readRef(repository, `refs/heads/${branch}`);
  const unsafe = tip === undefined || base === null ? undefined : await unsafePathIn(repository, base, tip);
  if (tip === undefined || base === null || tip === base || unsafe !== undefined)
    throw new GraftworkError("USAGE", {
      message: `${task} has no work to take.`,
      because: unsafe ?? `nothing was committed on ${branch}.`,
      try: `commit the work on ${branch}, then the same command again; or \`graftwork resolve ${task} --retry-agent\`, or \`--skip\`.`,
    });
  await keepResolution(repository, task, tip, fence);
  return tip;
}

/** The target's commit that a decision is about, and the merge with it. Throws CONFLICT where the target was taken back behind the packet. */
async function resolvedOnto(repository: Repository, packet: Packet, onto: Oid): Promise<{ target: Oid; merged: MergedTrees }> {
  const { ours } = packet.commits;
  const target = (await isAncestor(repository, ours, onto)) ? ours : onto;
  const merged = await mergeWork(repository, { ...packet.commits, ours: target, theirs: requireMerge(packet) });
  if (target !== ours && !(merged.clean && (await isAsDecided(repository, packet, merged.tree)))) throw outdated(packet);
  return { target, merged };
}

const inSlot = (task: string): string => `\`graftwork resolve ${task} --open\`, decide in the folder that it prints, then \`--done\`.`;

/** Whether a merge that git makes by itself has each file as the person decided. A file without a decision is git's. */
async function isAsDecided(repository: Repository, packet: Packet, tree: Oid): Promise<boolean> {
  const choices = choicesOf(packet);
  for (const { path, laid_as: laid = path, written } of packet.files) {
    const choice = choices[path];
    const edited = readBytes(fileIn(packet.folder, "files", laid));
    const isOpen = choice === undefined && (edited === undefined || sha256(edited) === written);
    const wanted = choice === "theirs" ? await readFileAt(repository, requireMerge(packet), path) : edited;
    const made = await readFileAt(repository, tree, path);
    if (!isOpen && (choice === "ours" || wanted === undefined || made?.equals(wanted) !== true)) return false;
  }
  return true;
}

/** `tree`: the merge as git left it. */
async function editsFor(
  repository: Repository,
  packet: Packet,
  path: string,
  { stages: all, tree }: { stages: readonly ConflictStage[]; tree: Oid },
): Promise<TreeEdit[]> {
  const stages = all.filter((stage) => stage.path === path);
  const choice = choicesOf(packet)[path];
  if (sidesIn(stages).length === 0) return [{ path, remove: true }];
  if (choice === "ours" || choice === "theirs") return editsToSide(path, stages, choice);
  const laid = laidName(path, stages);
  const file = fileIn(packet.folder, "files", laid);
  const bytes = readBytes(file);
  const left = bytes === undefined ? [] : await markersLeft(repository, stages, bytes);
  if (packet.files.some((one) => one.path === path && one.in_slot)) throw renamedHere(packet.task, path);
  const side = `choose a side: \`graftwork resolve ${packet.task} --ours ${shellWord(plainPath(path))}\``;
  const next = laid === path ? `edit it to its end, or ${side}.` : `${side}; to keep both, \`graftwork resolve ${packet.task} --open\`.`;
  if (left.length > 0) throw markersStand(packet.task, { file, path, left, next });
  // Who edits the file has not said that the other side's folder or symlink goes.
  const isDecided =
    choice === "file" || (laid === path && (await readFileAt(repository, tree, path))?.equals(bytes ?? Buffer.of()) !== true);
  if (bytes === undefined || !isDecided) throw undecided(packet.task, { path, file, next });
  return editsToFile(path, stages, await writeBlob(repository, bytes));
}

const sidesIn = (stages: readonly ConflictStage[]): ConflictStage[] => [2, 3].flatMap((n) => stages.find((one) => one.stage === n) ?? []);

/** If the side has a folder at the path, it stays: an edit that removes a path touches no folder. */
function editsToSide(path: string, stages: readonly ConflictStage[], choice: "ours" | "theirs"): TreeEdit[] {
  const side = stages.find((stage) => stage.stage === (choice === "ours" ? 2 : 3));
  return [...movedBack(stages), side === undefined ? { path, remove: true } : { path, mode: side.mode, oid: side.oid }];
}

function editsToFile(path: string, stages: readonly ConflictStage[], oid: Oid): TreeEdit[] {
  const sides = sidesIn(stages);
  const { mode = "100644" } = sides.find(isOrdinary) ?? sides[0] ?? {};
  return [...movedBack(stages), { path, mode, oid }];
}

/** Takes out what git moved aside: the path is decided. */
const movedBack = (stages: readonly ConflictStage[]): TreeEdit[] =>
  stages.flatMap(({ moved }) => (moved === undefined ? [] : [{ path: moved, remove: true }]));

/** Whether a file that was set stands in place of the folder that the path is in. */
const isReplaced = (path: string, edits: readonly TreeEdit[]): boolean =>
  edits.some((edit) => "mode" in edit && path.startsWith(`${edit.path}/`));

/** What a person noted in the packet so far, as changes of the merge's tree. Throws CONFLICT where the packet cannot be read. */
export async function notedEdits(repository: Repository, packet: Packet, merged: MergedTrees): Promise<TreeEdit[]> {
  const choices = choicesOf(packet);
  const edits: TreeEdit[] = [];
  for (const path of merged.clean ? [] : merged.paths.toSorted()) {
    const choice = choices[path];
    const stages = merged.clean ? [] : merged.stages.filter((stage) => stage.path === path);
    if (choice === undefined || sidesIn(stages).length === 0 || isReplaced(path, edits)) continue;
    const bytes = choice === "file" ? readBytes(fileIn(packet.folder, "files", laidName(path, stages))) : undefined;
    if (choice !== "file") edits.push(...editsToSide(path, stages, choice));
    else if (bytes !== undefined) edits.push(...editsToFile(path, stages, await writeBlob(repository, bytes)));
  }
  return edits;
}

function choicesOf(packet: Packet): v.InferOutput<typeof ChoicesSchema> {
  return parsePart(ChoicesSchema, packet, "choices.json", readText(choicesFile(packet)) ?? "{}");
}

const choicesFile = (packet: Packet): string => join(packet.folder, "choices.json");

function requireFile(packet: Packet, path: string): Packet["files"][number] {
  const found = packet.files.find((file) => plainPath(file.path) === path);
  if (found !== undefined) return found;
  throw new GraftworkError("USAGE", {
    message: `${JSON.stringify(path)} is not among the conflicted files of ${packet.task}.`,
    because: `they are ${packet.files.map((file) => plainPath(file.path)).join(", ") || "none"}.`,
    try: `see ${packet.folder}/README.md.`,
  });
}

function renamedHere(task: string, path: string): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `No side can be chosen for ${path}.`,
    because: "two things want that name, and one of them was renamed. A choice would lose that file under both names.",
    try: inSlot(task),
    details: { task, path },
  });
}

export function outdated(packet: Packet): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `The conflict of ${packet.task} is not the one that was decided.`,
    because: `the target is not at or after ${packet.commits.ours.slice(0, 12)} any more, which the packet is about.`,
    try: `\`graftwork resolve ${packet.task} --retry-agent\` does the task on the target as it is now, \`--skip\` leaves it out.`,
    details: { task: packet.task },
  });
}
