import type { TreeDifference } from "../git/index.ts";

/** What one side of a merge changed, as far as another side's changes can meet it. */
export type Touched = {
  /** Files that it changed, added or deleted. */
  paths: ReadonlySet<string>;
  /** Folders, at any height, that it added a file to. */
  addedTo: ReadonlySet<string>;
  /** Folders that are gone: deleted, renamed or now a file. */
  gone: ReadonlySet<string>;
};

/** From the differences to the merge base, folders included, renames not followed. */
export function touchedBy(differences: readonly TreeDifference[]): Touched {
  const [paths, addedTo, gone] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { path, from, to } of differences) {
    const [wasFile, isFile] = [isFileSide(from), isFileSide(to)];
    if (wasFile || isFile) paths.add(path);
    if (isFile && !wasFile) for (const folder of foldersAbove(path)) addedTo.add(folder);
    if (from !== null && !wasFile && (to === null || isFile)) gone.add(path);
  }
  return { paths, addedTo, gone };
}

/**
 * False where two sides cannot conflict: a conflict is about a path of both, about a file where the other side has a
 * folder, or about a file added to a folder that the other side took away (git asks whether it moves along).
 */
export function mayCollide(ours: Touched, theirs: Touched): boolean {
  return (
    meet(ours.paths, theirs.paths) ||
    meet(ours.addedTo, theirs.paths) ||
    meet(theirs.addedTo, ours.paths) ||
    meet(ours.addedTo, theirs.gone) ||
    meet(theirs.addedTo, ours.gone)
  );
}

/** True where the side changed the file, something in the folder, or what the path lies in. */
export function touches({ paths, gone }: Touched, path: string): boolean {
  const above = foldersAbove(path);
  return (
    paths.has(path) || above.some((folder) => paths.has(folder) || gone.has(folder)) || [...paths].some((one) => one.startsWith(`${path}/`))
  );
}

function isFileSide(side: TreeDifference["from"]): boolean {
  return side !== null && side.mode !== FOLDER;
}

const FOLDER = "040000";

/** `a/b/c` lies in `a` and `a/b`. */
function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function meet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  const [few, many] = one.size < other.size ? [one, other] : [other, one];
  for (const path of few) if (many.has(path)) return true;
  return false;
}
