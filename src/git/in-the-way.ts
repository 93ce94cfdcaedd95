import { below } from "./git-path.ts";
import { foldersOf } from "./path-text.ts";
import { lstatBelow, readFolder } from "./slot-path.ts";
import { type Judge, NOTHING, type Sights } from "./swap-files.ts";
import type { TreeDifference } from "./tree-differences.ts";

/** Returns why these changes cannot be made, in one reason for all. Returns undefined if nothing is in their way. */
export function inTheWay(checkout: string, changes: readonly TreeDifference[], seen: Sights, isOld: Judge): string | undefined {
  const isLeaving = leavingIn(checkout, changes);
  const unsaved = changes.filter(({ path, from }) => from !== null && !isOld(path, from, seen.get(path) ?? NOTHING));
  const looked = new Set<string>();
  /** Files that stand where the path needs a folder. Each is told once. */
  const noFolder = (path: string): string[] =>
    foldersOf(path).filter((folder) => {
      if (looked.has(folder) || isLeaving(folder)) return false;
      looked.add(folder);
      return lstatBelow(checkout, folder)?.isDirectory() === false;
    });
  const untracked = changes.flatMap(({ path, from }) => {
    if (from !== null || isLeaving(path)) return [];
    const stat = lstatBelow(checkout, path);
    if (stat === undefined) return noFolder(path);
    return stat.isDirectory() ? staying(checkout, path, isLeaving, SOME + 1) : [path];
  });
  const said = [
    ...(unsaved.length === 0 ? [] : [`changes that are not committed in ${some(unsaved.map(({ path }) => path))}`]),
    ...(untracked.length === 0 ? [] : [`files that git does not track where the merge writes its own: ${some(untracked)}`]),
  ];
  return said.length === 0 ? undefined : said.join("; ");
}

/** Tells whether a path of the checkout goes with the merge. `readme` may be the leaving `README`: not every file system tells them apart. */
function leavingIn(checkout: string, changes: readonly TreeDifference[]): (path: string) => boolean {
  const leaving = changes.filter(({ to }) => to === null).map(({ path }) => path);
  const exact = new Set(leaving);
  const byLetters = new Map(leaving.map((path) => [path.toLowerCase(), path]));
  return (path) => {
    if (exact.has(path)) return true;
    const other = byLetters.get(path.toLowerCase());
    const [mine, its] = other === undefined ? [] : [lstatBelow(checkout, path), lstatBelow(checkout, other)];
    return mine !== undefined && its !== undefined && mine.ino === its.ino && mine.dev === its.dev;
  };
}

/** Files and empty folders below a folder that stay when the merge lands; at most `most`. */
function staying(checkout: string, folder: string, isLeaving: (path: string) => boolean, most: number): string[] {
  const entries = readFolder(below(checkout, folder));
  if (entries.length === 0) return [`${folder}/`];
  const found: string[] = [];
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...staying(checkout, path, isLeaving, most - found.length));
    else if (!isLeaving(path)) found.push(path);
    if (found.length >= most) break;
  }
  return found;
}

const SOME = 10;

function some(paths: readonly string[]): string {
  return paths
    .slice(0, SOME)
    .join(", ")
    .concat(paths.length > SOME ? " and others" : "");
}
