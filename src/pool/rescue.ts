import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { isSecretName, partsOf, SCANNED_AT_MOST, type SecretValue, secretsIn } from "../domain/index.ts";
import {
  below,
  captureWork,
  commitsNamedBy,
  commitTree,
  filtersOf,
  hasStagedWork,
  ignoredPaths,
  lstatBelow,
  type Oid,
  plainPath,
  readBelow,
  readRefs,
  type SlotChanges,
  type SlotTree,
  slotHead,
  stagedTree,
  stampBelow,
  treeOf,
  unreachable,
  userIdentity,
} from "../git/index.ts";
import type { PoolContext } from "./context.ts";
import { copiedSecrets } from "./copied-secrets.ts";
import { changesIn, isFolder, isPlain, rescueFailed, sizeOf, uncommitted } from "./slot-work.ts";
import { moveAdmin, moveTo, placeInTrash, trashPiece } from "./trash.ts";

/** What was saved, and where. */
export type Rescue = {
  /** `<task>/<n>`, as `rescue show` and `rescue restore` take it. */
  id: string;
  ref: string;
  commit: Oid;
  files: number;
  /** Paths too large or too strange for git, or not to be published, kept as they are in the pool's trash. */
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
export async function rescueSlot(context: PoolContext, slot: SlotTree, work: Unsaved): Promise<Rescued> {
  const { repository } = context;
  const { base, task, reason } = work;
  const [head, found] = await Promise.all([slotHead(repository, slot), work.found ?? changesIn(context, slot, base)]);
  const admin = await adminWork(context, slot, head, base);
  const changes = await uncommitted(context, slot, found, head.commit, base);
  if (changes.changed.length + changes.untracked.length === 0 && admin === undefined) return { rescue: undefined, found, head };

  const sorted = await sortOut(context, slot, changes);
  const stamps = new Map(sorted.files.map((path) => [path, stampBelow(slot.path, path)]));
  const rescue = await save(context, slot, { task, reason, head, sorted, admin });
  // Only now: what is in the trash is named by a rescue, whatever ends this process.
  for (const { path, kept } of sorted.trash) moveTo(context, slot, below(slot.path, path, "disk"), path, kept);
  await requireUnchanged(context, slot, base, found, sorted.trash, stamps);
  return { rescue, found, head };
}

/** A slot's work as it is to be saved. */
export type Unsaved = {
  task: string;
  reason: string;
  /** The commit that the slot was put on; null: never on any. */
  base: Oid | null;
  /** What `changesIn` said a moment ago. */
  found?: SlotChanges;
};

/** What was saved, if anything was; and what there was to see. */
export type Rescued = { rescue: Rescue | undefined; found: SlotChanges; head: Head };

/** Like `rescueSlot` where the slot's folder is gone: what only its administration folder names is saved. */
export async function rescueAdmin(context: PoolContext, slot: SlotTree, task: string, reason: string): Promise<Rescue | undefined> {
  const head = await slotHead(context.repository, slot);
  const admin = await adminWork(context, slot, head, null);
  if (admin === undefined) return undefined;
  return save(context, slot, { task, reason, head, sorted: { files: [], trash: [] }, admin });
}

/** Keeps a commit, and with it all before it, as a rescue of a task. */
export function keepCommit(context: PoolContext, task: string, commit: Oid, reason: string): Promise<Rescue> {
  const nowhere: SlotTree = { id: "-", path: context.repository.commonDir, admin: "-" };
  return save(context, nowhere, { task, reason, head: { branch: null, commit }, sorted: { files: [], trash: [] }, admin: undefined });
}

type AdminWork = { loose: readonly Oid[]; staged: Oid | undefined; trash: Sorted["trash"] };

/** What a slot's administration folder holds and no ref does: commits, what is staged, submodule stores. */
async function adminWork(context: PoolContext, slot: SlotTree, head: Head, base: Oid | null): Promise<AdminWork | undefined> {
  const { repository } = context;
  // A branch holds what HEAD is on; the base stays, the slot's own HEAD goes back to it.
  const safe = new Set([base, head.branch === null ? null : head.commit]);
  const loose = await unreachable(
    repository,
    commitsNamedBy(repository, slot).filter((oid) => !safe.has(oid)),
  );
  const index = await stagedWork(context, slot, head.commit);
  const trash = ["modules", ...(index === null ? ["index"] : [])].flatMap((name) => {
    const kept = moveAdmin(context, slot, name);
    return kept === undefined ? [] : [{ path: `.git/${name}`, kept }];
  });
  const staged = index ?? undefined;
  return loose.length + trash.length === 0 && staged === undefined ? undefined : { loose, staged, trash };
}

/** The tree of what is staged and not in HEAD; undefined: nothing is. Null: the index cannot be read. */
async function stagedWork(context: PoolContext, slot: SlotTree, head: Oid | null): Promise<Oid | null | undefined> {
  const { repository } = context;
  if (head !== null && !(await hasStagedWork(repository, slot, head))) return undefined;
  const index = await stagedTree(repository, slot);
  return head !== null && index === (await treeOf(repository, head)) ? undefined : index;
}

type Head = { branch: string | null; commit: Oid | null };

async function save(
  context: PoolContext,
  slot: SlotTree,
  work: { task: string; reason: string; head: Head; sorted: Sorted; admin: AdminWork | undefined },
): Promise<Rescue> {
  const { repository } = context;
  const { task, reason, head, sorted, admin } = work;
  const person = await userIdentity(repository);
  const own = head.commit === null ? [] : [head.commit];
  const parents = [...new Set([...own, ...(admin?.loose ?? [])])];
  const extra = (admin?.loose ?? []).map((oid) => `commit ${oid}`);
  if (admin?.staged !== undefined) {
    parents.push(await commitTree(repository, { tree: admin.staged, parents: own, message: "what was staged\n", person }));
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
    trash: [...sorted.trash, ...(admin?.trash ?? [])],
    extra,
  };
  // Names may be taken between the look and the write: then the next number is tried.
  for (let tries = 0; tries < 50; tries++) {
    const id = `${task}/${await nextNumber(context, task)}`;
    const ref = `${RESCUE_PREFIX}${id}`;
    const message = `rescue of ${task}\n\n${JSON.stringify(note)}\n`;
    const saved = await captureWork(repository, { slot, head: head.commit, paths: [...sorted.files], parents, message, person, ref });
    if (saved !== undefined)
      return { id, ref, commit: saved.commit, files: sorted.files.length, trashed: note.trash.map((one) => one.kept) };
  }
  throw rescueFailed(slot, "no free name was found for the rescue.");
}

type Sorted = { files: readonly string[]; trash: readonly { path: string; kept: string }[] };

/**
 * Files that git can hold go into the rescue commit; nested repositories, huge and special files into the trash. So do
 * files that are nobody else's to see, since a push of all refs would publish the commit: ignored ones, those that look
 * like secrets, and those with a filter, which may be one that encrypts (review-core rule 6).
 */
async function sortOut(context: PoolContext, slot: SlotTree, changes: SlotChanges): Promise<Sorted> {
  const [filters, ignored] = await Promise.all([
    filtersOf(context.repository, slot, [...changes.changed, ...changes.untracked]),
    ignoredPaths(context.repository, slot, changes.untracked),
  ]);
  const values = copiedSecrets(context);
  const apart = trashPiece(context, slot);
  const files: string[] = [];
  const trash: { path: string; kept: string }[] = [];
  let total = 0;
  for (const path of [...changes.changed, ...changes.untracked]) {
    if (isFolder(slot, path)) continue;
    const isFile = lstatBelow(slot.path, path)?.isFile() === true;
    const isPrivate = ignored.has(path) || (isFile && (await holdsSecret(slot, path, values)));
    if (isPrivate) {
      trash.push({ path, kept: join(apart, plainPath(path.replace(/\/$/, ""))) });
      continue;
    }
    const isSecret = (filters.get(path) ?? "lfs") !== "lfs" && isFile;
    const size = isPlain(slot, path) && !isSecret ? sizeOf(slot, path) : Number.POSITIVE_INFINITY;
    if (size <= context.settings.rescueMaxFileBytes && total + size <= context.settings.rescueMaxBytes) {
      total += size;
      files.push(path);
    } else {
      trash.push({ path, kept: placeInTrash(context, slot, path) });
    }
  }
  return { files, trash };
}

/** True if a file's name or content looks secret. Looks only at the name of a very large file. */
async function holdsSecret(slot: SlotTree, path: string, values: readonly SecretValue[]): Promise<boolean> {
  if (isSecretName(path)) return true;
  if (sizeOf(slot, path) > SCANNED_AT_MOST || !isPlain(slot, path)) return false;
  for (const part of partsOf(readBelow(slot.path, path)?.toString("utf8") ?? "")) {
    if (secretsIn(part, values).length > 0) return true;
    if (part.length > SMALL) await setImmediate();
  }
  return false;
}

/** After a longer text the event loop gets a turn. */
const SMALL = 2 ** 16;

async function nextNumber(context: PoolContext, task: string): Promise<number> {
  const taken = [...(await readRefs(context.repository, `${RESCUE_PREFIX}${task}/`)).keys()].map((ref) =>
    Number(ref.slice(ref.lastIndexOf("/") + 1)),
  );
  return Math.max(0, ...taken) + 1;
}

/** A last look: what appeared or changed since the first one was not saved, so it must not be cleared. */
async function requireUnchanged(
  context: PoolContext,
  slot: SlotTree,
  base: Oid | null,
  before: SlotChanges,
  trash: Sorted["trash"],
  stamps: ReadonlyMap<string, string>,
): Promise<void> {
  const after = await changesIn(context, slot, base);
  const gone = new Set(trash.map((one) => one.path));
  const known = new Set([...before.changed, ...before.untracked]);
  const late = [...after.changed, ...after.untracked].filter((path) => !known.has(path) && !gone.has(path) && !gone.has(`${path}/`));
  const touched = [...stamps].filter(([path, stamp]) => stampBelow(slot.path, path) !== stamp).map(([path]) => path);
  if (late.length + touched.length > 0)
    throw rescueFailed(slot, `something still writes there: ${[...late, ...touched].slice(0, 3).join(", ")}.`);
}
