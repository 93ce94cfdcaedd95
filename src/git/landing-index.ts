import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../domain/index.ts";
import { linkSync, moveFile, removeFile, replaceByCopy } from "../state/index.ts";
import { gitSaid, landingMark } from "./land-checkout.ts";
import type { LandingFolder } from "./landing-folder.ts";
import type { Oid } from "./oid.ts";
import { foldersOf, pathBytes } from "./path-text.ts";
import { zeroOid } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";
import { readDifferences, type Side, type TreeDifference } from "./tree-differences.ts";

const indexOf = ({ note }: LandingFolder): string => join(note.gitDir, "index");
const lockOf = (folder: LandingFolder): string => `${indexOf(folder)}.lock`;

export const hasIndex = (folder: LandingFolder): boolean => existsSync(indexOf(folder));

/** Takes the checkout's index lock as git does: nothing of git's then commits, stages or switches there. False: it is taken. */
export function lockIndex(folder: LandingFolder): boolean {
  try {
    linkSync(folder.lock, lockOf(folder));
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** True where the index's lock is this landing's, and nobody else's. */
export function holdsIndex(folder: LandingFolder): boolean {
  const [mine, there] = [folder.lock, lockOf(folder)].map((path) => lstatSync(path, { throwIfNoEntry: false }));
  return mine !== undefined && there !== undefined && mine.ino === there.ino && mine.dev === there.dev;
}

export function unlockIndex(folder: LandingFolder): void {
  if (holdsIndex(folder)) removeFile(lockOf(folder));
}

/**
 * Writes the index as it will be: what is staged beside the changes stays so. Returns what is in their way, undefined
 * where nothing is. The caller holds the lock.
 */
export async function prepareIndex(
  repository: Repository,
  folder: LandingFolder,
  changes: readonly TreeDifference[],
): Promise<string | undefined> {
  const { checkout, from } = folder.note;
  replaceByCopy(indexOf(folder), folder.index);
  const call = { cwd: checkout, env: landingMark(folder.path) };
  const entries = [...changes.filter(({ to }) => to === null), ...changes.filter(({ to }) => to !== null)];
  const [staged, written] = await Promise.all([
    runGit(repository, { ...call, args: ["diff-index", "--cached", "--raw", "-z", "--no-renames", from] }),
    runGit(repository, {
      ...call,
      indexFile: folder.index,
      args: ["update-index", "-z", "--index-info"],
      stdin: pathBytes(entries.map(({ path, to }) => `${to?.mode ?? "0"} ${to?.oid ?? zeroOid(repository)}\t${path}\0`).join("")),
      answers: [0, 128],
    }),
  ]);
  return stagedInTheWay(splitPaths(staged), changes) ?? (written.code === 0 ? undefined : gitSaid(written));
}

/**
 * As for git: what is staged where the merge changes something is in its way, unless it is the same. Not as for git,
 * which would drop it: what is staged below a file of the merge's, or where the merge needs a folder.
 */
function stagedInTheWay(raw: readonly string[], changes: readonly TreeDifference[]): string | undefined {
  if (raw.some((line, index) => index % 2 === 0 && line.endsWith(" U"))) return "a merge is not finished there";
  const wanted = new Map<string, Side | null>(changes.map(({ path, to }) => [path, to]));
  const folders = new Set(changes.flatMap(({ path, to }) => (to === null ? [] : foldersOf(path))));
  const first = readDifferences(raw).find(({ path, to }) => {
    const side = wanted.get(path);
    if (side !== undefined) return side?.oid !== to?.oid || side?.mode !== to?.mode;
    return to !== null && (folders.has(path) || foldersOf(path).some((folder) => (wanted.get(folder) ?? null) !== null));
  });
  return first === undefined ? undefined : `changes that are staged and not committed in ${first.path}`;
}

/** Makes the prepared index the checkout's. The caller holds its lock. */
export function replaceIndex(folder: LandingFolder): void {
  removeFile(folder.indexBefore);
  linkSync(indexOf(folder), folder.indexBefore);
  moveFile(folder.index, indexOf(folder));
}

/** Takes the prepared index back, where it has taken the other's place. */
export async function takeIndexBack(repository: Repository, folder: LandingFolder): Promise<void> {
  if (existsSync(folder.index) || !existsSync(folder.indexBefore)) return;
  const { checkout, from, to } = folder.note;
  if (holdsIndex(folder)) moveFile(folder.indexBefore, indexOf(folder));
  else await moveIndex(repository, checkout, to, from);
}

/** Moves the checkout's index itself from one commit to another, by git's own rules. Returns git's refusal. */
export async function moveIndex(repository: Repository, checkout: string, from: Oid, to: Oid): Promise<string | undefined> {
  const answer = await runGit(repository, { cwd: checkout, args: ["read-tree", "-i", "-m", from, to], answers: [0, 128] });
  return answer.code === 0 ? undefined : gitSaid(answer);
}

/** For so few paths git looks at them alone; for more it would compare each of them with each of the index. */
const FEW = 200;

/**
 * Tells the index the times of the files that are there now: what a landing or a rollback leaves has other times than
 * it knows, and whoever looks next would read all of it.
 */
export async function refreshIndex(repository: Repository, checkout: string, changes: readonly TreeDifference[]): Promise<void> {
  const call = { cwd: checkout, answers: [0, 1, 128] };
  const paths = changes.filter(({ to }) => to !== null).map(({ path }) => `${path}\0`);
  if (paths.length <= FEW) {
    // Without preload: it compares all paths with all of the index twice, and its threads cost more than so few looks.
    const args = [
      "-c",
      "core.preloadIndex=false",
      "--literal-pathspecs",
      "add",
      "--refresh",
      "--pathspec-from-file=-",
      "--pathspec-file-nul",
    ];
    if (paths.length === 0 || (await runGit(repository, { ...call, args, stdin: pathBytes(paths.join("")) })).code === 0) return;
  }
  await runGit(repository, { ...call, args: ["update-index", "-q", "--refresh"] });
}
