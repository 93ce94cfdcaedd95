import { lstatSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { systemCode } from "../domain/index.ts";
import { linkSync, mkdirSync, readBytes, removeFile, renameSync, rmdirSync, symlinkSync } from "../state/index.ts";
import { below } from "./git-path.ts";
import type { Oid } from "./oid.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { lstatBelow } from "./slot-path.ts";
import { blobId, type Side, storedIds, type TreeDifference } from "./tree-differences.ts";

/** The folders between which a landing moves files; all on one file system. */
export type SwapPlaces = { checkout: string; fresh: string; aside: string; out: string };

/** Larger files are left to git, which reads them in pieces. */
export const SWAPPED_AT_MOST = 256 * 2 ** 20;

/** What is at a path: the id that its very bytes have, `other` where that is no question (a folder, a pipe). */
type Seen = { kind: "file" | "link" | "other"; executable: boolean; oid: Oid };

export const NOTHING: Seen = { kind: "other", executable: false, oid: "" };

export type Sights = ReadonlyMap<string, Seen>;

/** Says whether what was seen at a path is what a checkout writes for that side of a change. */
export type Judge = (path: string, side: Side, seen: Seen) => boolean;

/** Thrown where a file system has no hard links to link by. */
export class LinksMissing extends Error {}

/** What was moved aside, as it was then. */
export type Moved = Map<string, { stamp: string; oid: Oid }>;

const at = (folder: string, path: string): string | Buffer => pathBytes(below(folder, path));

function lookAt(repository: Repository, folder: string, path: string): Seen {
  const full = at(folder, path);
  const stat = lstatSync(full, { throwIfNoEntry: false });
  if (stat === undefined) return NOTHING;
  if (stat.isSymbolicLink()) return { ...NOTHING, kind: "link", oid: blobId(repository, readlinkSync(full, { encoding: "buffer" })) };
  if (!stat.isFile() || stat.size > SWAPPED_AT_MOST) return NOTHING;
  const bytes = readBytes(full);
  if (bytes === undefined) return NOTHING;
  return { kind: "file", executable: (stat.mode & 0o100) !== 0, oid: blobId(repository, bytes) };
}

/** What is at these paths of a checkout; what is not there, or behind a link, is not in it. */
export function sightsOf(repository: Repository, checkout: string, paths: readonly string[]): Sights {
  const folders = new Map<string, boolean>();
  return new Map(
    paths.flatMap((path) => {
      const parent = dirname(path);
      const isReal = folders.get(parent) ?? (parent === "." || lstatBelow(checkout, parent)?.isDirectory() === true);
      folders.set(parent, isReal);
      const seen = isReal ? lookAt(repository, checkout, path) : NOTHING;
      return seen === NOTHING ? [] : [[path, seen]];
    }),
  );
}

/**
 * Learns which bytes in the checkout are, by the user's own settings (line ends, filters), those of these sides of
 * changes: where the bytes are not git's own, git is asked once for all. `settings` as git knows them.
 */
export async function judgeOf(
  repository: Repository,
  checkout: string,
  settings: { fileMode: boolean; symlinks: boolean },
  sides: readonly { path: string; side: Side }[],
  seen: Sights,
): Promise<Judge> {
  const odd = sides.flatMap(({ path, side }) => {
    const { kind, oid } = seen.get(path) ?? NOTHING;
    return kind === "file" && oid !== side.oid ? [{ path, side, oid }] : [];
  });
  const stored = await storedIds(
    repository,
    { cwd: checkout },
    odd.map(({ path }) => path),
  );
  const converted = new Set(
    odd
      .filter(({ path, side, oid }) => stored.get(path) === side.oid && lookAt(repository, checkout, path).oid === oid)
      .map(({ path, oid }) => `${oid} ${path}`),
  );
  return (path, side, { kind, executable, oid }) => {
    if (kind === "other" || (kind === "link" && side.mode !== "120000")) return false;
    if (kind === "file" && side.mode === "120000" && settings.symlinks) return false;
    if (kind === "file" && side.mode !== "120000" && settings.fileMode && executable !== (side.mode === "100755")) return false;
    return oid === side.oid || (kind === "file" && converted.has(`${oid} ${path}`));
  };
}

/**
 * Moves each old file aside, looks at what was moved, and links the new one in: link(2) refuses a name that is there,
 * so nothing is ever written over. Ends with a reason as soon as something is not as expected; `swapBack` then puts
 * everything back. Throws LinksMissing.
 */
export function swapIn(
  repository: Repository,
  places: SwapPlaces,
  changes: readonly TreeDifference[],
  isOld: Judge,
  moved: Moved,
): string | undefined {
  const made = new Set<string>();
  // What goes comes first: a folder may take a file's place, and the other way round.
  for (const { path, from, to } of [...changes.filter((one) => one.to === null), ...changes.filter((one) => one.to !== null)]) {
    if (from !== null) {
      if (!move(places.checkout, places.aside, path)) return `${path} was removed at that moment`;
      const stamp = stampOf(places.aside, path);
      const seen = lookAt(repository, places.aside, path);
      moved.set(path, { stamp, oid: seen.oid });
      if (!isOld(path, from, seen)) return `${path} was saved at that moment`;
      if (to === null) removeEmptyParents(places.checkout, path);
    }
    if (to !== null && !(makeParents(places.checkout, path, made) && place(places.fresh, places.checkout, path)))
      return `${path} was saved at that moment, or something is in its way`;
  }
  return undefined;
}

/**
 * Puts back what `swapIn` did, also one that was killed. What is in the checkout and neither old nor new is a person's
 * and stays; the old file is then left aside. Returns those paths.
 */
export function swapBack(repository: Repository, places: SwapPlaces, changes: readonly TreeDifference[], isNew: Judge): string[] {
  const kept: string[] = [];
  for (const { path, from, to } of changes) {
    if (to === null) continue;
    takeOut(repository, places, path, to, isNew);
    if (from === null) removeEmptyParents(places.checkout, path);
    else if (!giveBack(places.aside, places.checkout, path)) kept.push(path);
  }
  for (const { path, to } of changes) if (to === null && !giveBack(places.aside, places.checkout, path)) kept.push(path);
  return kept;
}

/** Files that were moved aside and written to since, through a descriptor that was open before. */
export function lateEdits(repository: Repository, { aside }: SwapPlaces, moved: Moved): string[] {
  return [...moved]
    .filter(([path, then]) => {
      const now = stampOf(aside, path);
      return (now !== then.stamp || now.startsWith("young")) && lookAt(repository, aside, path).oid !== then.oid;
    })
    .map(([path]) => path);
}

/** A clock's tick is some milliseconds: the times of a file written just now do not tell about another write. */
function stampOf(folder: string, path: string): string {
  const { ino, size, mtimeMs } = lstatSync(at(folder, path));
  return `${Date.now() - mtimeMs < 1_000 ? "young" : "old"} ${ino} ${size} ${mtimeMs}`;
}

function takeOut(repository: Repository, places: SwapPlaces, path: string, to: Side, isNew: Judge): void {
  if (!isLinkedIn(places.fresh, places.checkout, path)) return;
  makeParents(places.out, path, new Set());
  if (!move(places.checkout, places.out, path)) return;
  // Between the look and the move it may have been saved.
  const isOurs = isLinkedIn(places.fresh, places.out, path) && isNew(path, to, lookAt(repository, places.out, path));
  if (isOurs) removeFile(at(places.out, path));
  else giveBack(places.out, places.checkout, path);
}

/** True for the very file that a landing linked in: another name of the same one. A link has no second name, but its text. */
function isLinkedIn(fresh: string, folder: string, path: string): boolean {
  const [mine, there] = [lstatSync(at(fresh, path), { throwIfNoEntry: false }), lstatBelow(folder, path)];
  if (mine === undefined || there === undefined) return false;
  if (mine.isSymbolicLink()) return there.isSymbolicLink() && readlinkSync(at(fresh, path)) === readlinkSync(at(folder, path));
  return mine.ino === there.ino && mine.dev === there.dev;
}

/** False where something else has the name by now; then the file stays where it is. */
function giveBack(from: string, to: string, path: string): boolean {
  const stat = lstatSync(at(from, path), { throwIfNoEntry: false });
  if (stat === undefined) return true;
  if (!makeParents(to, path, new Set())) return false;
  try {
    if (!stat.isDirectory()) {
      if (!place(from, to, path)) return false;
      removeFile(at(from, path));
      return true;
    }
  } catch (error) {
    // Somebody else's file, which this user may rename and not link.
    if (!(error instanceof LinksMissing)) throw error;
  }
  return lstatBelow(to, path) === undefined && move(from, to, path);
}

function move(from: string, to: string, path: string): boolean {
  try {
    renameSync(at(from, path), at(to, path));
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ENOTEMPTY", "EEXIST"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** False where the name is taken, or the file to link is gone. */
function place(from: string, to: string, path: string): boolean {
  try {
    const source = at(from, path);
    if (lstatSync(source).isSymbolicLink()) symlinkSync(readlinkSync(source, { encoding: "buffer" }), at(to, path));
    else linkSync(source, at(to, path));
    return true;
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (["EEXIST", "ENOENT", "ENOTDIR"].includes(code)) return false;
    if (["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code)) throw new LinksMissing(code);
    throw error;
  }
}

/** False where something that is no folder is in the way; a link to one elsewhere is none. */
export function makeParents(root: string, path: string, made: Set<string>): boolean {
  const parent = dirname(path);
  if (parent === "." || made.has(parent)) return true;
  if (lstatBelow(root, parent) === undefined) {
    try {
      mkdirSync(at(root, parent), { recursive: true });
    } catch (error) {
      if (["EEXIST", "ENOTDIR"].includes(systemCode(error) ?? "")) return false;
      throw error;
    }
  }
  if (lstatBelow(root, parent)?.isDirectory() !== true) return false;
  made.add(parent);
  return true;
}

/** As git does: a folder goes with its last file. */
function removeEmptyParents(root: string, path: string): void {
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
    try {
      rmdirSync(at(root, parent));
    } catch {
      return;
    }
  }
}
