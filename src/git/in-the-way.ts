import { join } from "node:path";
import { foldersOf } from "./path-text.ts";
import { lstatBelow, readFolder } from "./slot-path.ts";
import { type Judge, NOTHING, type Sights } from "./swap-files.ts";
import type { TreeDifference } from "./tree-differences.ts";

/** What is in the way of these changes already, one reason for all; undefined where nothing is. */
export function inTheWay(checkout: string, changes: readonly TreeDifference[], seen: Sights, isOld: Judge): string | undefined {
  const leaving = new Set(changes.filter(({ to }) => to === null).map(({ path }) => path.toLowerCase()));
  const unsaved = changes.filter(({ path, from }) => from !== null && !isOld(path, from, seen.get(path) ?? NOTHING));
  const looked = new Set<string>();
  /** Files that stand where the path needs a folder. Each is told once. */
  const noFolder = (path: string): string[] =>
    foldersOf(path).filter((folder) => {
      if (looked.has(folder) || leaving.has(folder.toLowerCase())) return false;
      looked.add(folder);
      return lstatBelow(checkout, folder)?.isDirectory() === false;
    });
  const untracked = changes.flatMap(({ path, from }) => {
    // A name that only changes its letters' case is the leaving file itself, where the file system knows no difference.
    if (from !== null || leaving.has(path.toLowerCase())) return [];
    const stat = lstatBelow(checkout, path);
    if (stat === undefined) return noFolder(path);
    return stat.isDirectory() ? staying(checkout, path, leaving, SOME + 1) : [path];
  });
  const said = [
    ...(unsaved.length === 0 ? [] : [`changes that are not committed in ${some(unsaved.map(({ path }) => path))}`]),
    ...(untracked.length === 0 ? [] : [`files that git does not track where the merge writes its own: ${some(untracked)}`]),
  ];
  return said.length === 0 ? undefined : said.join("; ");
}

/** Files and empty folders below a folder that stay when the merge lands; at most `most`. */
function staying(checkout: string, folder: string, leaving: ReadonlySet<string>, most: number): string[] {
  const entries = readFolder(join(checkout, folder));
  if (entries.length === 0) return [`${folder}/`];
  const found: string[] = [];
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...staying(checkout, path, leaving, most - found.length));
    else if (!leaving.has(path.toLowerCase())) found.push(path);
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
