import { randomUUID } from "node:crypto";
import { lstatSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { GraftworkError, systemCode } from "../domain/index.ts";
import {
  captureWork,
  changedPaths,
  commitsNamedBy,
  commitTree,
  moveAdminEntry,
  type Oid,
  readRefs,
  type SlotChanges,
  type SlotTree,
  slotChanges,
  slotHead,
  stagedTree,
  treeOf,
  unreachable,
  userIdentity,
  workTree,
} from "../git/index.ts";
import { replaceFile } from "../state/index.ts";
import { type PoolContext, REBUILDABLE } from "./context.ts";

/** What was saved, and where. */
export type Rescue = {
  /** `<task>/<n>`, as `rescue show` and `rescue restore` take it. */
  id: string;
  ref: string;
  commit: Oid;
  files: number;
  /** Paths too large or too strange for git, kept as they are in the pool's trash. */
  trashed: readonly string[];
};

/** Written into the rescue commit's message, read back by `rescue list`. */
export type RescueNote = {
  task: string;
  slot: string;
  branch: string | null;
  head: Oid | null;
  reason: string;
  at: string;
  files: readonly string[];
  trash: readonly { path: string; kept: string }[];
  extra: readonly string[];
};

export const RESCUE_PREFIX = "refs/graftwork/rescue/";

/**
 * Saves whatever in a slot is not in a branch: staged, unstaged, untracked, ignored and hidden changes, commits
 * that no ref reaches, a stopped merge or rebase, nested repositories. Returns undefined where there is nothing.
 * When it returns, the slot may be cleared. Throws RESCUE_FAILED: then nothing may be cleared.
 */
export async function rescueSlot(
  context: PoolContext,
  slot: SlotTree,
  task: string,
  reason: string,
  known: readonly Oid[],
): Promise<Rescue | undefined> {
  const { repository } = context;
  const head = await slotHead(repository, slot);
  const found = await slotChanges(repository, slot, REBUILDABLE);
  const staged = await stagedTree(repository, slot);
  const headTree = head.commit === null ? undefined : await treeOf(repository, head.commit);
  const loose = await unreachable(repository, commitsNamedBy(repository, slot));
  const submodules = moveAdmin(context, slot, "modules");
  const changes = await uncommitted(context, slot, found, head.commit, known);
  const onlyStaged = staged !== undefined && staged !== headTree;
  if (changes.changed.length + changes.untracked.length + loose.length === 0 && !onlyStaged && submodules === undefined) return undefined;

  const person = await userIdentity(repository);
  const sorted = sortOut(context, slot, changes);
  const parents = [...new Set([...(head.commit === null ? [] : [head.commit]), ...loose])];
  const extra = loose.map((oid) => `commit ${oid}`);
  if (onlyStaged) {
    parents.push(
      await commitTree(repository, {
        tree: staged,
        parents: head.commit === null ? [] : [head.commit],
        message: "what was staged\n",
        person,
      }),
    );
    extra.push("staged changes");
  }
  const note: RescueNote = {
    task,
    slot: slot.id,
    branch: head.branch,
    head: head.commit,
    reason,
    at: context.now().toISOString(),
    files: sorted.files,
    trash: [...sorted.trash, ...(submodules === undefined ? [] : [{ path: ".git/modules", kept: submodules }])],
    extra,
  };
  // Names may be taken between the look and the write: then the next number is tried.
  for (let tries = 0; tries < 50; tries++) {
    const id = `${task}/${await nextNumber(context, task)}`;
    const ref = `${RESCUE_PREFIX}${id}`;
    const saved = await captureWork(repository, {
      slot,
      paths: [...sorted.files],
      parents,
      message: `rescue of ${task}\n\n${JSON.stringify(note)}\n`,
      person,
      ref,
    });
    if (saved === undefined) continue;
    await requireUnchanged(context, slot, found, sorted.trash);
    return { id, ref, commit: saved.commit, files: sorted.files.length, trashed: sorted.trash.map((one) => one.kept) };
  }
  throw failed(slot, "no free name was found for the rescue.");
}

/** What in a slot is in no commit: the paths a release would rescue. */
export async function unsavedPaths(context: PoolContext, slot: SlotTree, known: readonly Oid[]): Promise<string[]> {
  const head = await slotHead(context.repository, slot);
  const { changed, untracked } = await uncommitted(
    context,
    slot,
    await slotChanges(context.repository, slot, REBUILDABLE),
    head.commit,
    known,
  );
  return [...changed, ...untracked];
}

/**
 * The saved index tells what differs from the commit the slot was put on. What differs but is committed by now is
 * no loss: those paths are left out where they equal HEAD.
 */
async function uncommitted(
  context: PoolContext,
  slot: SlotTree,
  found: SlotChanges,
  head: Oid | null,
  known: readonly Oid[],
): Promise<SlotChanges> {
  if (head === null || known.includes(head)) return found;
  const small = (path: string): boolean => isPlain(slot, path) && sizeOf(slot, path) <= context.settings.rescueMaxFileBytes;
  const files = [...found.changed, ...found.untracked].filter(small);
  const special = found.untracked.filter((path) => !small(path));
  const tree = await workTree(context.repository, slot, files);
  const differing = new Set(await changedPaths(context.repository, head, tree));
  return { changed: files.filter((path) => differing.has(path)), untracked: special };
}

type Sorted = { files: readonly string[]; trash: readonly { path: string; kept: string }[] };

/** Files that git can hold go into the rescue commit; nested repositories, huge and special files into the trash. */
function sortOut(context: PoolContext, slot: SlotTree, changes: SlotChanges): Sorted {
  const files: string[] = [];
  const trash: { path: string; kept: string }[] = [];
  let total = 0;
  for (const path of [...changes.changed, ...changes.untracked]) {
    // A file that became a folder: what is in the folder is listed by itself.
    if (!path.endsWith("/") && isFolder(slot, path)) continue;
    const size = isPlain(slot, path) ? sizeOf(slot, path) : Number.POSITIVE_INFINITY;
    if (size <= context.settings.rescueMaxFileBytes && total + size <= context.settings.rescueMaxBytes) {
      total += size;
      files.push(path);
    } else {
      trash.push({ path, kept: moveToTrash(context, slot, join(slot.path, path), path) });
    }
  }
  return { files, trash };
}

/** Regular files and links, and paths that are gone (a deletion is work too). */
function isPlain(slot: SlotTree, path: string): boolean {
  if (path.endsWith("/")) return false;
  try {
    const stat = lstatSync(join(slot.path, path));
    return stat.isFile() || stat.isSymbolicLink() || stat.isDirectory();
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return true;
    throw failed(slot, `${path} cannot be read (${systemCode(error) ?? "unknown"}).`);
  }
}

function isFolder(slot: SlotTree, path: string): boolean {
  return lstatSync(join(slot.path, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function sizeOf(slot: SlotTree, path: string): number {
  return lstatSync(join(slot.path, path), { throwIfNoEntry: false })?.size ?? 0;
}

/** Renames something into the pool's trash (same file system: no copy, no loss) and returns where it is now. */
export function moveToTrash(context: PoolContext, slot: SlotTree, from: string, label: string): string {
  const stamp = context.now().toISOString().replace(/[:.]/g, "-");
  const to = join(trashFolder(slot), `${stamp}-${slot.id}-${randomUUID().slice(0, 8)}`, label.replace(/\/$/, ""));
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    renameSync(from, to);
    replaceFile(`${to}.graftwork.json`, `${JSON.stringify({ slot: slot.id, path: label, at: context.now().toISOString() })}\n`);
  } catch (error) {
    throw failed(slot, `${label} could not be moved into the trash (${systemCode(error) ?? String(error)}).`);
  }
  return to;
}

/** Beside the slots, so that a rename suffices. */
export function trashFolder(slot: { path: string }): string {
  return join(dirname(slot.path), "trash");
}

function moveAdmin(context: PoolContext, slot: SlotTree, name: string): string | undefined {
  const to = join(trashFolder(slot), `${context.now().toISOString().replace(/[:.]/g, "-")}-${slot.id}-${name}-${randomUUID().slice(0, 8)}`);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  return moveAdminEntry(context.repository, slot, name, to) ? to : undefined;
}

async function nextNumber(context: PoolContext, task: string): Promise<number> {
  const taken = [...(await readRefs(context.repository, `${RESCUE_PREFIX}${task}/`)).keys()].map((ref) =>
    Number(ref.slice(ref.lastIndexOf("/") + 1)),
  );
  return Math.max(0, ...taken) + 1;
}

/** A last look: what appeared since the first one was not saved, so it must not be cleared. */
async function requireUnchanged(context: PoolContext, slot: SlotTree, before: SlotChanges, trash: Sorted["trash"]): Promise<void> {
  const after = await slotChanges(context.repository, slot, REBUILDABLE);
  const gone = new Set(trash.map((one) => one.path));
  const known = new Set([...before.changed, ...before.untracked]);
  const late = [...after.changed, ...after.untracked].filter(
    (path) => !known.has(path) && !gone.has(path) && ![...gone].some((one) => one === `${path}/`),
  );
  if (late.length > 0) throw failed(slot, `something still writes there: ${late.slice(0, 3).join(", ")}.`);
}

function failed(slot: SlotTree, why: string): GraftworkError {
  return new GraftworkError("RESCUE_FAILED", {
    message: `The work in ${slot.id} could not be saved, so it was not cleared.`,
    because: why,
    try: `look into ${slot.path}, then \`pool-manager release ${slot.id}\` again.`,
    details: { slot: slot.id, path: slot.path },
  });
}
