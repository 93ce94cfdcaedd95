import { join } from "node:path";
import * as v from "valibot";
import { GraftworkError } from "../domain/index.ts";
import {
  below,
  commitInSlot,
  editTree,
  isAncestor,
  lstatBelow,
  type MergedTrees,
  type Oid,
  type Person,
  type RefChange,
  type Repository,
  readBelow,
  readBlob,
  readFileAt,
  readRef,
  slotHead,
  slotStatus,
  snapshotSlot,
  stageTree,
  treeDifferences,
  treeOf,
  withQuarantine,
} from "../git/index.ts";
import {
  acquireSlot,
  committablePaths,
  existingStore,
  findSlot,
  type PoolContext,
  releaseSlot,
  requireSlot,
  restartLease,
  treeOfSlot,
} from "../pool/index.ts";
import { readText, replaceFile } from "../state/index.ts";
import { gitSays } from "./conflict-kind.ts";
import { isOrdinary, markersLeft, namesByGit } from "./conflict-sides.ts";
import { commitByHand, handMessage, keepResolution, markersStand, nameByGit, undecided, undecidedNames } from "./hand-resolution.ts";
import { mergeWork } from "./merge-work.ts";
import { notedEdits, outdated, type Packet, requireMerge } from "./resolve.ts";

/** A packet's conflict that was laid out in a slot: which one, for which two commits, and from where the branch was on. */
const OpenedSchema = v.object({ slot: v.string(), token: v.number(), ours: v.string(), theirs: v.string(), from: v.string() });

export type OpenedSlot = { id: string; path: string; branch: string; token: number; from: Oid };

const noteIn = (folder: string): string => join(folder, "opened.json");

/**
 * Lays a packet's conflict out in a free slot, leased to the caller, on the task's branch: what git could merge is
 * staged, as are the choices noted in the packet; the rest holds markers. Asked again it returns the same slot and touches nothing. Throws what acquireSlot
 * throws, USAGE where there is no merge to make.
 */
export async function openInSlot(context: PoolContext, packet: Packet): Promise<OpenedSlot> {
  const theirs = requireMerge(packet);
  const open = openedSlot(context, packet);
  if (open !== undefined) return open;
  const { repository } = context;
  const { ours } = packet.commits;
  const { id, path, lease } = await acquireSlot(context, { task: packet.task, base: theirs });
  const tip = await readRef(repository, `refs/heads/${lease.branch}`);
  // Somebody's commits on top of the task's are part of what is merged: without them they would be taken back.
  const from = tip !== undefined && (await isAncestor(repository, theirs, tip)) ? tip : theirs;
  const merged = await mergeWork(repository, { ...packet.commits, theirs: from });
  const tree = await editTree(repository, merged.tree, await notedEdits(repository, packet, merged));
  // What is in a slot that was opened for an older conflict of the task is saved.
  await restartLease(context, { slot: id, token: lease.token, to: from, keepTipAt: null });
  await stageTree(repository, treeOfSlot(requireSlot(existingStore(repository).read().state, id)), tree);
  // Last: without it the slot is laid out again.
  replaceFile(noteIn(packet.folder), `${JSON.stringify({ slot: id, token: lease.token, ours, theirs, from })}\n`);
  return { id, path, branch: lease.branch, token: lease.token, from };
}

/** The slot that the packet's conflict is open in; undefined where it is not. */
export function openedSlot(context: PoolContext, packet: Packet): OpenedSlot | undefined {
  const note = readNote(packet.folder);
  if (note === undefined || note.ours !== packet.commits.ours || note.theirs !== packet.commits.theirs) return undefined;
  return leasedBy(context, note);
}

function leasedBy({ repository }: PoolContext, { slot, token, from }: v.InferOutput<typeof OpenedSchema>): OpenedSlot | undefined {
  const record = findSlot(existingStore(repository).read().state, slot);
  if (record?.status !== "busy" || record.lease?.token !== token) return undefined;
  return { id: record.id, path: record.path, branch: record.lease.branch, token, from };
}

function readNote(folder: string): v.InferOutput<typeof OpenedSchema> | undefined {
  try {
    const read = v.safeParse(OpenedSchema, JSON.parse(readText(noteIn(folder)) ?? "null"));
    return read.success ? read.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes the merge of what is in the slot: all that a commit there would hold, with the task's branch and the target's
 * commit of the packet as its parents. The branch points to it. Throws CONFLICT if markers or unmerged files are left, a
 * file is undecided, the target was taken back behind the packet, or names collide and nothing was changed or committed.
 */
export async function finishInSlot(
  context: PoolContext,
  packet: Packet,
  opened: OpenedSlot,
  onto: Oid,
  person: Person,
  fence: readonly RefChange[],
): Promise<Oid> {
  const { repository } = context;
  const { task } = packet;
  const theirs = requireMerge(packet);
  const { ours: target } = packet.commits;
  // What is in the slot holds all of that commit.
  if (!(await isAncestor(repository, target, onto))) throw outdated(packet);
  const merged = await mergeWork(repository, { ...packet.commits, theirs: opened.from });
  const noted = (await notedEdits(repository, packet, merged)).map(({ path }) => path);
  const slot = treeOfSlot(requireSlot(existingStore(repository).read().state, opened.id));
  const ref = `refs/heads/${opened.branch}`;
  const [head, tip] = [await slotHead(repository, slot), await readRef(repository, ref)];
  if (tip === undefined || head.branch !== opened.branch || !(await isAncestor(repository, theirs, tip)))
    throw unusable(task, opened, `it is not on ${opened.branch} with the task's work any more.`);
  const status = await slotStatus(repository, slot, tip);
  if (status.unmerged) throw unusable(task, opened, "git has unmerged files there: `git add` them, or end the merge that was begun.");
  for (const path of merged.clean ? [] : merged.paths) {
    if (lstatBelow(slot.path, path)?.isFile() !== true) continue;
    const bytes = readBelow(slot.path, path) ?? Buffer.alloc(0);
    const stages = merged.clean ? [] : merged.stages.filter((stage) => stage.path === path);
    const left = await markersLeft(repository, stages, bytes);
    const next = `edit it to its end, then \`graftwork resolve ${task} --done\`.`;
    const file = below(slot.path, path);
    if (left.length > 0) throw markersStand(task, { file, path, left, next });
    // Who committed there, or chose before it was laid out, has decided.
    const isOpen = tip === opened.from && !noted.includes(path);
    if (isOpen && (await readFileAt(repository, merged.tree, path))?.equals(bytes) === true)
      throw undecided(task, {
        path,
        file,
        next: `edit it, or \`git commit\` there to take it as it is; then \`graftwork resolve ${task} --done\`.`,
      });
  }
  const stays = (merged.clean ? [] : namesByGit(merged)).find((name) => lstatBelow(slot.path, name) !== undefined);
  if (stays !== undefined)
    throw nameByGit(task, {
      name: stays,
      next: `move or remove it in ${slot.path}, then \`graftwork resolve ${task} --done\`.`,
    });
  const paths = committablePaths(context, status);
  if (!merged.clean && merged.paths.length === 0 && tip === opened.from) {
    const stands = await withQuarantine(repository, async (inside) => treeOf(inside, await snapshotSlot(inside, slot, tip, paths)));
    const [says] = gitSays(merged);
    const next = `move the files in ${slot.path}, or \`git commit\` there to take them as they are; then \`graftwork resolve ${task} --done\`.`;
    if (stands === merged.tree) throw undecidedNames(task, { says, next, slot: opened.id });
  }
  const resolution = { task, branch: opened.branch, how: ` in ${opened.id}.` };
  if (paths.length > 0) await commitInSlot(repository, slot, { paths, message: handMessage(resolution), person });
  const made = (await readRef(repository, ref)) ?? tip;
  const marked = merged.clean ? undefined : await markedElsewhere(repository, merged, made);
  if (marked !== undefined)
    throw markersStand(task, {
      ...marked,
      file: below(slot.path, marked.path),
      next: `edit it to its end, then \`graftwork resolve ${task} --done\`.`,
    });
  // Who merged the target there with git has made the commit already. What nobody changed needs one that says so.
  const isMerged = made !== opened.from && (await isAncestor(repository, target, made));
  const commit = isMerged
    ? made
    : await commitByHand(repository, resolution, { tree: await treeOf(repository, made), parents: [tip, target], person });
  await keepResolution(repository, task, commit, [...fence, { ref, set: commit, old: made }]);
  return commit;
}

/** A file with the markers of one that git moved aside. A person may have given it any name. */
async function markedElsewhere(
  repository: Repository,
  { tree, stages }: Extract<MergedTrees, { clean: false }>,
  made: Oid,
): Promise<{ path: string; left: string[] } | undefined> {
  for (const moved of new Set(stages.flatMap((stage) => stage.moved ?? []))) {
    const ofIt = stages.filter((stage) => stage.moved === moved);
    const laid = await readFileAt(repository, tree, moved);
    if (laid === undefined || (await markersLeft(repository, ofIt, laid)).length === 0) continue;
    for (const { path, to } of await treeDifferences(repository, tree, made)) {
      const left = to === null || !isOrdinary(to) ? [] : await markersLeft(repository, ofIt, await readBlob(repository, to.oid));
      if (left.length > 0) return { path, left };
    }
  }
  return undefined;
}

/** Gives the slot back that the conflict of a packet's folder was opened in, if it was; what is unsaved there is rescued. */
export async function closeOpened(context: PoolContext, folder: string): Promise<void> {
  const note = readNote(folder);
  const open = note === undefined ? undefined : leasedBy(context, note);
  if (open !== undefined) await releaseSlot(context, { name: open.id, token: open.token });
}

function unusable(task: string, { id, path }: OpenedSlot, because: string): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `What is in ${id} cannot be taken for the resolution of ${task}.`,
    because,
    try: `put it right in ${path}, or \`pool-manager release ${id}\` (its work is saved) and \`graftwork resolve ${task} --open\` again.`,
    details: { slot: id, path },
  });
}
