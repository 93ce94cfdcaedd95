import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import * as v from "valibot";
import { type ProcessIdentity, systemCode } from "../domain/index.ts";
import { makeFolderWhole, readText, removeFile, renameSync, rmSync, sealedText, unsealedText } from "../state/index.ts";
import { identityOf } from "../subprocess/index.ts";
import type { Oid } from "./oid.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { readFolder } from "./slot-path.ts";

/** What a landing is about to do: enough to end it or put it back by, whoever finds it. */
export type LandingNote = {
  /** The worktree, and its git directory with the index. */
  checkout: string;
  gitDir: string;
  /** Full name of the branch. */
  ref: string;
  from: Oid;
  to: Oid;
  /** git itself moves the checkout: nothing of it is in the folder. */
  byGit: boolean;
  owner: ProcessIdentity;
};

/** A landing's folder: its note, and the files on their way in and out. */
export type LandingFolder = {
  path: string;
  note: LandingNote;
  /** Becomes the lock of the checkout's index by a second name. */
  lock: string;
  /** The index as it will be. */
  index: string;
  /** The index as it was, once the other is in its place. */
  indexBefore: string;
  /** The new files, then linked in. */
  fresh: string;
  /** The old ones, moved out of the way. */
  aside: string;
  /** What a rollback took out again. */
  out: string;
};

const NOTE = "landing.json";
const ENDED = "ended-";
const noteShape = v.object({
  schema: v.literal(1),
  checkout: v.string(),
  gitDir: v.string(),
  ref: v.string(),
  from: v.string(),
  to: v.string(),
  byGit: v.optional(v.boolean(), false),
  owner: v.object({ pid: v.number(), startTime: v.string(), bootId: v.string(), host: v.string() }),
});

/** A file that was moved aside may still be open in a program, and be written to there: it is kept for so long. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** Begins a landing: the note is on the disk before anything else is touched. */
export function openLandingFolder(repository: Repository, about: Omit<LandingNote, "owner">): LandingFolder {
  const note = { ...about, owner: identityOf(process.pid) };
  const path = join(repository.layout.landings, randomUUID());
  const text = sealedText(repository.layout.trusted, NOTE, `${JSON.stringify({ schema: 1, ...note })}\n`);
  makeFolderWhole(path, { [NOTE]: text, lock: "graftwork: a landing\n" });
  return folderAt(path, note);
}

function folderAt(path: string, note: LandingNote): LandingFolder {
  const below = (name: string): string => join(path, name);
  const index = { lock: below("lock"), index: below("index"), indexBefore: below("index-before") };
  return { path, note, ...index, fresh: below("new"), aside: below("old"), out: below("out") };
}

/** The landings that were begun here; `ended` ones keep their old files for a day. */
export function landingFolders(repository: Repository): { folder: LandingFolder; ended: boolean }[] {
  const { landings } = repository.layout;
  const names = existsSync(landings) ? readdirSync(landings) : [];
  return names.flatMap((name) => {
    const note = readNote(repository, join(landings, name));
    return note === undefined ? [] : [{ folder: folderAt(join(landings, name), note), ended: name.startsWith(ENDED) }];
  });
}

/** Undefined for a folder that was never finished making, is being deleted, or was made by something else than graftwork. */
function readNote({ layout }: Repository, path: string): LandingNote | undefined {
  try {
    return v.parse(noteShape, JSON.parse(unsealedText(layout.trusted, NOTE, readText(join(path, NOTE)) ?? "") ?? "null"));
  } catch {
    return undefined;
  }
}

/**
 * Takes over a landing from whoever made it: under its new name, a former owner that wakes up finds none of its files,
 * so it can move nothing any more. Undefined where somebody else was faster.
 */
export function claimLanding({ path, note }: LandingFolder): LandingFolder | undefined {
  const mine = join(path, "..", randomUUID());
  try {
    renameSync(path, mine);
    return folderAt(mine, note);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Ends a landing that is landed or put back. The old files that are not in the checkout stay for a day, where this says. */
export function closeLanding(folder: LandingFolder): string {
  // One by one: for each of thousands, the other way first asks whether it is a folder.
  for (const path of filesBelow(folder.fresh)) removeFile(path);
  rmSync(folder.fresh, { recursive: true, force: true });
  removeFile(folder.index);
  removeFile(folder.indexBefore);
  removeFile(folder.lock);
  const isEmpty = ![folder.aside, folder.out].some((place) => filesBelow(place).length > 0);
  const ended = join(folder.path, "..", `${ENDED}${randomUUID()}`);
  if (isEmpty) rmSync(folder.path, { recursive: true, force: true });
  else renameSync(folder.path, ended);
  return join(ended, basename(folder.aside));
}

/** Deletes what was kept for a day, but for files that somebody wrote to since: those are nowhere else. */
export function dropOldLandings(repository: Repository): void {
  for (const { folder, ended } of landingFolders(repository)) {
    const closed = lstatSync(folder.path, { throwIfNoEntry: false })?.mtimeMs;
    if (!ended || closed === undefined || Date.now() - closed < KEPT_MS) continue;
    const files = [folder.aside, folder.out].flatMap(filesBelow);
    const edited = files.filter((path) => lstatSync(path).mtimeMs > closed);
    if (edited.length === 0) rmSync(folder.path, { recursive: true, force: true });
    else for (const path of files) if (!edited.includes(path)) removeFile(path);
  }
}

function filesBelow(folder: string): (string | Buffer)[] {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readFolder(folder).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [pathBytes(join(folder, entry.name))],
  );
}
