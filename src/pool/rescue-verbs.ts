import { lstatSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { below, lstatBelow, messageOf, type Oid, pathBytes, readRefs, updateRefs, writeCapture } from "../git/index.ts";
import { copyTree, mkdirSync, rmSync, storeExists } from "../state/index.ts";
import { type PoolContext, poolFolder } from "./context.ts";
import { existingStore } from "./pool-state.ts";
import { RESCUE_PREFIX, type RescueNote } from "./rescue.ts";

/** One saved piece of work, as `rescue list` shows it. */
export type RescueEntry = { id: string; ref: string; commit: Oid; note: RescueNote };

/** All rescues of this repository, oldest first. */
export async function listRescues(context: PoolContext): Promise<RescueEntry[]> {
  const refs = await readRefs(context.repository, RESCUE_PREFIX);
  const all = await Promise.all(
    [...refs].map(
      async ([ref, commit]): Promise<RescueEntry> => ({
        id: ref.slice(RESCUE_PREFIX.length),
        ref,
        commit,
        note: parseNote(await messageOf(context.repository, commit)),
      }),
    ),
  );
  return all.sort((a, b) => a.note.at.localeCompare(b.note.at));
}

/** Throws RESCUE_UNKNOWN. */
export async function requireRescue(context: PoolContext, id: string): Promise<RescueEntry> {
  const all = await listRescues(context);
  const found = all.find((entry) => entry.id === id || entry.ref === id);
  if (found !== undefined) return found;
  throw new GraftworkError("RESCUE_UNKNOWN", {
    message: `There is no rescue ${JSON.stringify(id.slice(0, 120))}.`,
    because:
      all.length === 0
        ? "nothing was ever rescued here."
        : `there are ${all
            .slice(-5)
            .map((entry) => entry.id)
            .join(", ")}.`,
    try: "`pool-manager rescue list`.",
  });
}

/** `missing`: paths whose piece is not in the trash any more. */
export type Restored = { folder: string; files: number; missing: readonly string[] };

/**
 * Writes a rescue's whole tree into a folder, byte for byte, with what was kept in the trash at its place. The
 * folder must be new or empty, so that nothing there is overwritten. The rescue stays.
 */
export async function restoreRescue(context: PoolContext, id: string, into: string | undefined, cwd: string): Promise<Restored> {
  const entry = await requireRescue(context, id);
  const folder =
    into === undefined
      ? join(poolFolder(context.repository, context.settings), "restored", entry.id.replace("/", "-"))
      : resolve(cwd, into);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === false || (isFolder === true && readdirSync(folder).length > 0)) {
    throw new GraftworkError("USAGE", {
      message: `${folder} is ${isFolder ? "not empty" : "no folder"}, so nothing was restored.`,
      because: "a restore never overwrites files.",
      try: `\`pool-manager rescue restore ${entry.id} --to NEW-FOLDER\`.`,
    });
  }
  mkdirSync(folder, { recursive: true });
  await writeCapture(context.repository, entry.commit, folder, entry.note.files);
  const missing: string[] = [];
  for (const { path, kept } of entry.note.trash) {
    if (path.startsWith(".git/") || !leadsInto(folder, path)) continue;
    const piece = [kept, join(trashOf(context), kept.replace(/^.*?\/trash\/(?=\d{4}-)/, ""))].find(isThere);
    if (piece === undefined) {
      missing.push(path);
      context.narrate(`not restored: ${path}, which was kept in ${kept} and is not there any more`);
      continue;
    }
    const to = below(folder, path.replace(/\/$/, ""), "disk");
    mkdirSync(pathBytes(dirname(to)), { recursive: true });
    rmSync(pathBytes(to), { recursive: true, force: true });
    try {
      copyTree(piece, pathBytes(to));
    } catch (error) {
      missing.push(path);
      context.narrate(`not restored: ${path}, kept in ${piece} (${systemCode(error) ?? String(error)})`);
    }
  }
  return { folder, files: entry.note.files.length + entry.note.trash.length - missing.length, missing };
}

/** Where the pool is, not where the configuration would put a new one; it may have been moved since something was kept. */
function trashOf({ repository, settings }: PoolContext): string {
  const hasPool = storeExists(repository.layout.poolStore);
  return join(hasPool ? existingStore(repository).read().state.dir : poolFolder(repository, settings), "trash");
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** A note is text in the repository, which an agent can write too: a path of it must not lead out of the folder. */
function leadsInto(folder: string, path: string): boolean {
  const parts = path.replace(/\/$/, "").split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return false;
  return parts.slice(1).every((_, index) => lstatBelow(folder, parts.slice(0, index + 1).join("/"))?.isDirectory() ?? true);
}

/** What is saved is kept for so long at the least. */
export const KEPT_DAYS = 30;

/** Rescues that are old enough to be deleted, once nobody needs them. */
export async function oldRescues(context: PoolContext): Promise<RescueEntry[]> {
  const before = new Date(context.now().getTime() - KEPT_DAYS * 24 * 3_600_000).toISOString();
  // One whose note cannot be read has no time: it stays.
  return (await listRescues(context)).filter(({ note }) => note.at !== "" && note.at < before);
}

export type Pruned = { rescues: readonly string[]; trash: readonly string[] };

/** Deletes rescues and pieces of the trash that are older than `KEPT_DAYS`. Only ever asked for by a person. */
export async function pruneRescues(context: PoolContext): Promise<Pruned> {
  const old = await oldRescues(context);
  const trash = trashOf(context);
  for (const { ref, commit } of old) await updateRefs(context.repository, [{ ref, remove: true, old: commit }], "prune rescues");
  const since = context.now().getTime() - KEPT_DAYS * 24 * 3_600_000;
  // A link in its place leads to files of others.
  const isFolder = lstatSync(trash, { throwIfNoEntry: false })?.isDirectory() === true;
  // What was to be deleted when that was cut off is nobody's.
  const isOver = (name: string): boolean => name.startsWith("deleting-") || lstatSync(join(trash, name)).ctimeMs < since;
  const pieces = isFolder ? readdirSync(trash).filter(isOver) : [];
  for (const name of pieces) rmSync(join(trash, name), { recursive: true, force: true });
  return { rescues: old.map(({ id }) => id), trash: pieces };
}

const noteSchema = v.object({
  task: v.string(),
  slot: v.string(),
  branch: v.nullable(v.string()),
  head: v.nullable(v.string()),
  reason: v.string(),
  at: v.string(),
  files: v.array(v.string()),
  trash: v.array(v.object({ path: v.string(), kept: v.string() })),
  extra: v.array(v.string()),
});

/** Anybody can make a commit, or something that is none, under the prefix of our refs. */
function parseNote(message: string): RescueNote {
  try {
    return v.parse(noteSchema, JSON.parse(message.slice(message.indexOf("{"))));
  } catch {
    return { task: "?", slot: "?", branch: null, head: null, reason: "its note is unreadable", at: "", files: [], trash: [], extra: [] };
  }
}
