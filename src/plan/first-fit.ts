import { type GlobPath, pathsMayOverlap, readGlob } from "./globs.ts";

/** One glob of a level, however many tasks declare it. */
type Claim = {
  path: GlobPath;
  /** Groups in which a task claims it, and the least group in which none does. */
  groups: Set<number>;
  free: number;
  /** Claims that may overlap with it. */
  rivals: Claim[];
};
type Folder = { claims: Claim[]; folders: Map<string, Folder> };

/**
 * Puts each task, in the order given, into the first group in which no task may write the same file; a task without
 * files goes into the first. Only globs below or above one another in the tree of folders are compared.
 */
export function firstFitGroups<T extends { files: readonly string[] }>(tasks: readonly T[]): T[][] {
  const root: Folder = { claims: [], folders: new Map() };
  const claims = new Map<string, Claim>();
  const groups: T[][] = [];
  for (const task of tasks) {
    const own = new Set(task.files.map((glob) => claims.get(glob) ?? claim(glob, root, claims)));
    const against = new Set([...own].flatMap((mine) => [mine, ...mine.rivals]));
    const group = firstFree([...against]);
    for (const mine of own) {
      mine.groups.add(group);
      while (mine.groups.has(mine.free)) mine.free++;
    }
    const members = groups[group];
    if (members === undefined) groups[group] = [task];
    else members.push(task);
  }
  return groups;
}

function firstFree(against: readonly Claim[]): number {
  let group = against.reduce((least, { free }) => Math.max(least, free), 0);
  while (against.some(({ groups }) => groups.has(group))) group++;
  return group;
}

function claim(glob: string, root: Folder, claims: Map<string, Claim>): Claim {
  const made: Claim = { path: readGlob(glob), groups: new Set(), free: 0, rivals: [] };
  let folder = root;
  const near = [...root.claims];
  for (const name of made.path.base) {
    let next = folder.folders.get(name);
    if (next === undefined) {
      next = { claims: [], folders: new Map() };
      folder.folders.set(name, next);
    }
    folder = next;
    for (const one of folder.claims) near.push(one);
  }
  const inside = [...folder.folders.values()];
  for (let next = inside.pop(); next !== undefined; next = inside.pop()) {
    for (const one of next.claims) near.push(one);
    inside.push(...next.folders.values());
  }
  for (const other of near) {
    if (!pathsMayOverlap(made.path, other.path)) continue;
    made.rivals.push(other);
    other.rivals.push(made);
  }
  folder.claims.push(made);
  claims.set(glob, made);
  return made;
}
