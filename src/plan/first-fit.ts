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
    const group = firstFree(own);
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

function firstFree(own: Iterable<Claim>): number {
  let group = 0;
  // All groups below a claim's `free` are taken by it: the search begins above the highest.
  for (const mine of own) for (const rival of mine.rivals) if (rival.free > group) group = rival.free;
  for (const mine of own) if (mine.free > group) group = mine.free;
  while (isTaken(group, own)) group++;
  return group;
}

function isTaken(group: number, own: Iterable<Claim>): boolean {
  for (const mine of own) {
    if (mine.groups.has(group)) return true;
    for (const rival of mine.rivals) if (rival.groups.has(group)) return true;
  }
  return false;
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
