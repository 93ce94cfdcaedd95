import { createHash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { below, listPaths, lstatBelow, type Oid } from "../git/index.ts";
import { readText, replaceFile, rmSync } from "../state/index.ts";
import type { PoolContext } from "./context.ts";
import type { Dependencies, SlotRecord } from "./pool-state.ts";

type Slot = { id: string; path: string };

/**
 * Folders that an install fills with programs of others. What a task changes in one would run in the next task, and
 * no lockfile tells: they are handed on only as the install left them (review-core rule 19). Other kept folders are
 * caches, which every task changes; whoever names one in `pool.keep` wants that.
 */
const DEPENDENCY_FOLDERS: ReadonlySet<string> = new Set(["node_modules", ".venv", "venv", "vendor", "bundle", "deps", "Pods"]);

/** What tools keep for themselves in `node_modules`: no part of an install, and gone before the folder is handed on. */
const TOOL_CACHES: ReadonlySet<string> = new Set([".cache", ".tmp", ".vite", ".vite-temp", ".vitest", ".astro"]);

export function isDependencyFolder(folder: string): boolean {
  return DEPENDENCY_FOLDERS.has(basename(folder));
}

/** Of the configured folders those that may stay: real folders (no link, no file) without a tracked path. */
export function soundFolders(keep: readonly string[], isFolder: (path: string) => boolean, tracked: readonly string[]): string[] {
  return keep.filter((folder) => isFolder(folder.slice(1, -1)) && !tracked.some((path) => `/${path}/`.startsWith(folder)));
}

/**
 * The folders that stay in a slot whose tracked files are those of `commit`. Asks git only where the commit is
 * another than the last time.
 */
export async function keptFolders(context: PoolContext, slot: Slot, commit: Oid | null): Promise<string[]> {
  const isFolder = (path: string): boolean => lstatBelow(slot.path, path)?.isDirectory() === true;
  const there = soundFolders(context.settings.keep, isFolder, []);
  if (there.length === 0 || commit === null) return [];
  return soundFolders(there, isFolder, await trackedBelow(context, slot, commit));
}

const noteSchema = v.object({ commit: v.string(), keep: v.array(v.string()), tracked: v.array(v.string()) });

/** Tracked paths of a commit below the configured folders, noted beside our copy of the slot's index. */
async function trackedBelow({ repository, settings }: PoolContext, slot: Slot, commit: Oid): Promise<readonly string[]> {
  const file = join(dirname(repository.layout.savedIndex(slot.id)), "kept.json");
  const known = v.safeParse(noteSchema, parsed(readText(file)));
  if (known.success && known.output.commit === commit && known.output.keep.join() === settings.keep.join()) return known.output.tracked;
  const paths = await listPaths(
    repository,
    commit,
    settings.keep.map((folder) => folder.slice(1, -1)),
  );
  // One path of a folder says enough.
  const tracked = settings.keep.flatMap((folder) => paths.find((path) => `/${path}/`.startsWith(folder)) ?? []);
  replaceFile(file, `${JSON.stringify({ commit, keep: settings.keep, tracked })}\n`);
  return tracked;
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/**
 * Tells whether anything in the dependency folders was written, added, replaced or taken away since: one lstat for
 * each file (5 to 10 ms for 1,000), no byte is read. A change's time cannot be forged, since it is the inode's own.
 */
export function keptStamp(slot: { path: string }, keep: readonly string[]): string {
  const hash = createHash("sha256");
  const look = (path: string, isTop: boolean): void => {
    for (const entry of readdirSync(below(slot.path, path, "disk"), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (isTop && TOOL_CACHES.has(entry.name)) continue;
      const inside = `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        // Not its own time: a tool's cache changes that of the folder around it.
        hash.update(`${inside}/\0`);
        look(inside, false);
      } else {
        const stat = lstatSync(below(slot.path, inside, "disk"), { throwIfNoEntry: false });
        hash.update(`${inside}\0${stat?.ino} ${stat?.mode} ${stat?.size} ${stat?.ctimeMs}\0`);
      }
    }
  };
  for (const folder of keep.filter(isDependencyFolder).map((one) => one.slice(1, -1)))
    if (lstatBelow(slot.path, folder)?.isDirectory() === true) look(folder, true);
    else hash.update(`${folder} is not there\0`);
  return hash.digest("hex").slice(0, 32);
}

/**
 * True where the dependency folders are as the install left them. With `pool.setup: none` nobody would make them
 * again, so that they are handed on as they are.
 */
export function keptUnchanged(context: PoolContext, slot: SlotRecord): boolean {
  const { keep, setup } = context.settings;
  if (setup === "none" || !keep.some(isDependencyFolder)) return true;
  return slot.dependencies?.kept !== undefined && slot.dependencies.kept === keptStamp(slot, keep);
}

export type HandedOn = {
  /** What stays in the slot. */
  keep: string[];
  /** Null: the next acquire sets the slot up anew. */
  dependencies: Dependencies | null;
};

/**
 * What a slot may hand on to the next task, looked at when a task is done: dependency folders that the task changed
 * are left out, and tools' caches in the others are deleted.
 */
export async function handOn(context: PoolContext, slot: SlotRecord, commit: Oid | null): Promise<HandedOn> {
  const sound = await keptFolders(context, slot, commit);
  if (!keptUnchanged(context, slot)) return { keep: sound.filter((folder) => !isDependencyFolder(folder)), dependencies: null };
  if (context.settings.setup !== "none")
    for (const folder of sound.filter(isDependencyFolder))
      for (const cache of TOOL_CACHES) {
        const path = `${folder.slice(1)}${cache}`;
        if (lstatBelow(slot.path, path) !== undefined) rmSync(below(slot.path, path, "disk"), { recursive: true, force: true });
      }
  return { keep: sound, dependencies: slot.dependencies };
}
