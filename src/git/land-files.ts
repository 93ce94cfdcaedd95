import { existsSync, lstatSync } from "node:fs";
import { basename, join } from "node:path";
import { systemCode } from "../domain/index.ts";
import { mkdirSync, readText, withMutex } from "../state/index.ts";
import { livenessOf } from "../subprocess/index.ts";
import { below } from "./git-path.ts";
import { inTheWay } from "./in-the-way.ts";
import { gitDirOf, gitSaid, headOf, landingMark, outwaitLanding } from "./land-checkout.ts";
import {
  claimLanding,
  closeLanding,
  dropOldLandings,
  type LandingFolder,
  type LandingNote,
  landingFolders,
  openLandingFolder,
} from "./landing-folder.ts";
import {
  hasIndex,
  holdsIndex,
  lockIndex,
  moveIndex,
  prepareIndex,
  refreshIndex,
  replaceIndex,
  takeIndexBack,
  unlockIndex,
} from "./landing-index.ts";
import type { Oid } from "./oid.ts";
import { pathBytes } from "./path-text.ts";
import { type RefChange, readRef, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { restoreHalfLanded } from "./restore-checkout.ts";
import { runGit, splitNul } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";
import {
  judgeOf,
  LinksMissing,
  lateEdits,
  type Moved,
  makeParents,
  type Sights,
  SWAPPED_AT_MOST,
  sightsOf,
  swapBack,
  swapIn,
} from "./swap-files.ts";
import { type Side, type TreeDifference, treeDifferences } from "./tree-differences.ts";

export type FileLanding = {
  /** The worktree whose HEAD is on `ref`. */
  checkout: string;
  /** Full name of the branch. */
  ref: string;
  from: Oid;
  to: Oid;
  /** Verified in the transaction that moves the branch. */
  fence: readonly RefChange[];
  /** For the reflog. */
  reason: string;
};

export type FilesLanded =
  /** `late`: paths whose old file was written to meanwhile by a program that had it open; it is in `aside`. */
  | { kind: "landed"; late: readonly string[]; aside: string }
  /** Work of a person's is in the way; nothing has changed. */
  | { kind: "refused"; reason: string }
  /** Another git holds the index's lock. */
  | { kind: "locked" }
  /** HEAD or the branch is somewhere else by now; nothing has changed. */
  | { kind: "elsewhere" }
  /** Not for this way: hard links are missing, or what changes is not plain files. */
  | { kind: "by-git" };

type Settings = { fileMode: boolean; symlinks: boolean; sparse: boolean };

/**
 * Moves a checkout and the branch it is on from one commit to another without ever writing over a file: each touched
 * one is moved aside, compared with what git wrote there, and the new one is linked in (review-core rule 4). The index
 * is locked from beginning to end, as by git itself; the branch moves by compare-and-swap. All of it or nothing; what a
 * kill leaves is put right by the next landing there, or by `settleLandings`.
 */
export async function landFiles(repository: Repository, landing: FileLanding): Promise<FilesLanded> {
  const { checkout, from, to, ref } = landing;
  await settleDeadLandings(repository, ref);
  const [settings, all, gitDir] = await Promise.all([
    settingsOf(repository, checkout),
    treeDifferences(repository, from, to),
    gitDirOf(repository, { path: checkout }),
  ]);
  const changes = all.filter(isOfFiles);
  if (settings.sparse || !changes.every((change) => isPlain(checkout, change))) return { kind: "by-git" };
  const folder = openLandingFolder(repository, { checkout, gitDir, ref, from, to, byGit: false });
  const end = await attempt(repository, landing, folder, settings, all).catch(async (error: unknown) => {
    await settle(repository, folder, true);
    if (error instanceof LinksMissing) return { kind: "by-git" } as const;
    const code = systemCode(error) ?? "";
    // A folder or file that this user may not write to.
    if (["EACCES", "EPERM", "EROFS"].includes(code))
      return { kind: "refused", reason: `what may not be changed (${(error as Error).message})` } as const;
    throw error;
  });
  if (end.kind === "landed") await refreshIndex(repository, checkout, changes);
  dropOldLandings(repository);
  return end;
}

const isSubmodule = (side: Side | null): boolean => side?.mode === "160000";

/** A submodule at another commit is a change of the index alone. */
const isOfFiles = ({ from, to }: TreeDifference): boolean => !isSubmodule(from) || !isSubmodule(to);

/** Attributes decide how the other files are written, and git reads the checkout's own. */
function isPlain(checkout: string, { path, from, to }: TreeDifference): boolean {
  if (isSubmodule(from) || isSubmodule(to) || basename(path) === ".gitattributes") return false;
  return (lstatBelow(checkout, path)?.size ?? 0) <= SWAPPED_AT_MOST;
}

async function settingsOf(repository: Repository, checkout: string): Promise<Settings> {
  const args = ["config", "--type=bool", "-z", "--get-regexp", "^core\\.(filemode|symlinks|sparsecheckout)$"];
  const answer = await runGit(repository, { cwd: checkout, args, answers: [0, 1] });
  const known = new Map(splitNul(answer.text).map((entry) => [entry.slice(0, entry.indexOf("\n")), entry.endsWith("\ntrue")]));
  return {
    fileMode: known.get("core.filemode") ?? true,
    symlinks: known.get("core.symlinks") ?? true,
    sparse: known.get("core.sparsecheckout") ?? false,
  };
}

async function attempt(
  repository: Repository,
  landing: FileLanding,
  folder: LandingFolder,
  settings: Settings,
  all: readonly TreeDifference[],
): Promise<FilesLanded> {
  const { checkout, ref, from, to } = landing;
  const changes = all.filter(isOfFiles);
  const { gitDir } = folder.note;
  const giveUp = async (end: FilesLanded): Promise<FilesLanded> => {
    await settle(repository, folder, true);
    return end;
  };
  if (!hasIndex(folder) || lstatSync(checkout).dev !== lstatSync(folder.path).dev) return giveUp({ kind: "by-git" });
  if (!tryLock(folder)) return giveUp({ kind: "locked" });
  const isHere = (): boolean => readText(join(gitDir, "HEAD"))?.trim() === `ref: ${ref}` && !existsSync(join(gitDir, "MERGE_HEAD"));
  if (!isHere() || (await readRef(repository, ref)) !== from) return giveUp({ kind: "elsewhere" });

  const refused = (await prepareIndex(repository, folder, all)) ?? (await writeFresh(repository, landing, folder, changes));
  if (refused !== undefined) return giveUp({ kind: "refused", reason: refused });
  if (changes.some((one) => one.to !== null && isLarge(folder, one.path))) return giveUp({ kind: "by-git" });
  const places = { ...folder, checkout };
  const old = changes.flatMap(({ path, from: side }) => (side === null ? [] : [{ path, side }]));
  const seen = seenIn(repository, checkout, old);
  const isOld = await judgeOf(repository, checkout, settings, old, seen);
  const blocked = inTheWay(checkout, changes, seen, isOld);
  if (blocked !== undefined) return giveUp({ kind: "refused", reason: blocked });

  const made = new Set<string>();
  mkdirSync(folder.aside);
  // All folders first: should this process be taken for dead and go on later, it makes none in the old place.
  for (const { path } of old) makeParents(folder.aside, path, made);
  const moved: Moved = new Map();
  const stopped = swapIn(repository, places, changes, isOld, moved) ?? openEdit(lateEdits(repository, places, moved));
  if (stopped !== undefined) return giveUp({ kind: "refused", reason: stopped });
  if (!isHere()) return giveUp({ kind: "elsewhere" });
  // As git itself does: a commit of a person's reads HEAD first, then the index, then locks it. With the new HEAD and the
  // old index it would take back all that lands; with the old HEAD it is refused.
  replaceIndex(folder);
  const change = { ref, set: to, old: from };
  const elsewhere = await updateRefs(repository, [...landing.fence, change], landing.reason, landingMark(folder.path));
  if (elsewhere !== undefined) return giveUp({ kind: "elsewhere" });
  unlockIndex(folder);
  const late = lateEdits(repository, places, moved);
  return { kind: "landed", late, aside: closeLanding(folder) };
}

const seenIn = (repository: Repository, checkout: string, sides: readonly { path: string }[]): Sights =>
  sightsOf(
    repository,
    checkout,
    sides.map(({ path }) => path),
  );

function tryLock(folder: LandingFolder): boolean {
  try {
    return lockIndex(folder);
  } catch (error) {
    const code = systemCode(error) ?? "";
    throw ["EXDEV", "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code) ? new LinksMissing(code) : error;
  }
}

const isLarge = ({ fresh }: LandingFolder, path: string): boolean => lstatSync(pathBytes(below(fresh, path))).size > SWAPPED_AT_MOST;

const openEdit = (paths: readonly string[]): string | undefined =>
  paths.length === 0 ? undefined : `${paths.slice(0, 10).join(", ")} was written to at that moment`;

/** git writes the new files, by the user's own settings, beside the checkout. */
async function writeFresh(
  repository: Repository,
  { checkout }: FileLanding,
  { path: mark, index, fresh }: LandingFolder,
  changes: readonly TreeDifference[],
): Promise<string | undefined> {
  const paths = changes.filter(({ to }) => to !== null).map(({ path }) => path);
  mkdirSync(fresh);
  if (paths.length === 0) return undefined;
  const answer = await runGit(repository, {
    cwd: checkout,
    indexFile: index,
    env: landingMark(mark),
    args: ["checkout-index", `--prefix=${fresh}/`, "-z", "--stdin"],
    stdin: pathBytes(paths.map((path) => `${path}\0`).join("")),
    answers: [0, 1, 128],
  });
  const missing = paths.find((path) => lstatSync(pathBytes(below(fresh, path)), { throwIfNoEntry: false }) === undefined);
  if (answer.code === 0 && missing === undefined) return undefined;
  return `git could not write ${missing ?? "the new files"}: ${gitSaid(answer)}`;
}

/**
 * Ends landings that were cut off: done where the branch has moved, put back where it has not.
 */
export async function settleLandings(repository: Repository, isMeant: (note: LandingNote) => boolean): Promise<void> {
  if (!landingFolders(repository).some(({ folder, ended }) => !ended && isMeant(folder.note))) return;
  await withMutex(repository.layout.landingMutex, async () => {
    for (const { folder, ended } of landingFolders(repository)) {
      if (ended || !isMeant(folder.note)) continue;
      await outwaitLanding(landingMark(folder.path));
      const mine = claimLanding(folder);
      if (mine !== undefined) await settle(repository, mine, false);
    }
  });
}

/** Those of owners that are proved gone: any command that lands may put them right. */
export async function settleDeadLandings(repository: Repository, ref: string): Promise<void> {
  await settleLandings(repository, (note) => note.ref === ref && livenessOf(note.owner) === "dead");
}

/** `certain`: whoever asks knows that this landing did not move the branch, wherever that is by now. */
async function settle(repository: Repository, folder: LandingFolder, certain: boolean): Promise<void> {
  const { checkout, ref, from, to, byGit } = folder.note;
  const at = await readRef(repository, ref);
  const isThere = existsSync(checkout);
  if (byGit) {
    if (isThere && at === from) await restoreHalfLanded(repository, folder.note);
  } else if (isThere && at === to) await finish(repository, folder);
  else if (isThere && (certain || at === from)) await putBack(repository, folder);
  unlockIndex(folder);
  closeLanding(folder);
}

/** The branch has moved; the index too, unless its file is still here. */
async function finish(repository: Repository, folder: LandingFolder): Promise<void> {
  const { checkout, ref, from, to } = folder.note;
  if (!existsSync(folder.index) || (await headOf(repository, checkout)).ref !== ref) return;
  // A lock that a person took away: the index may be another by now, and git looks at it.
  if (holdsIndex(folder)) replaceIndex(folder);
  else await moveIndex(repository, checkout, from, to);
  unlockIndex(folder);
  await refreshIndex(repository, checkout, await treeDifferences(repository, from, to));
}

async function putBack(repository: Repository, folder: LandingFolder): Promise<void> {
  // Nothing was moved yet: the folder for it is made just before.
  if (!existsSync(folder.aside)) return;
  const { checkout, from, to } = folder.note;
  const changes = (await treeDifferences(repository, from, to)).filter(isOfFiles);
  const sides = changes.flatMap(({ path, to: side }) => (side === null ? [] : [{ path, side }]));
  const seen = seenIn(repository, checkout, sides);
  const isNew = await judgeOf(repository, checkout, await settingsOf(repository, checkout), sides, seen);
  mkdirSync(folder.out, { recursive: true });
  swapBack(repository, { ...folder, checkout }, changes, isNew);
  await takeIndexBack(repository, folder);
  unlockIndex(folder);
  const back = changes.map(({ path, from: to, to: was }) => ({ path, from: was, to }));
  await refreshIndex(repository, checkout, back);
}

/**
 * Has git itself move a checkout and its branch, under a note by which `settleLandings` puts back what a kill leaves.
 * `work` gets the environment that marks its git.
 */
export async function moveByGit<Result>(
  repository: Repository,
  about: Pick<FileLanding, "checkout" | "ref" | "from" | "to">,
  work: (mark: Readonly<Record<string, string>>) => Promise<Result>,
): Promise<Result> {
  const gitDir = await gitDirOf(repository, { path: about.checkout });
  const folder = openLandingFolder(repository, { ...about, gitDir, byGit: true });
  const result = await work(landingMark(folder.path));
  closeLanding(folder);
  return result;
}
