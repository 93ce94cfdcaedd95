import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** The best common ancestors of two of the tips that were asked about: none, one, or several where histories cross. */
export type MergeBases = (a: Oid, b: Oid) => readonly Oid[];

/** Merge bases of every pair of these commits, from two git processes: the history since they all parted is small. */
export async function mergeBases(repository: Repository, tips: readonly Oid[]): Promise<MergeBases> {
  const own = ownGit(repository, "plain");
  const unique = [...new Set(tips)];
  if (unique.length === 0) return () => [];
  const common = await runGit(repository, { ...own, args: ["merge-base", "--octopus", ...unique], answers: [0, 1] });
  if (common.code !== 0) return () => [];
  const list = await runGit(repository, {
    ...own,
    args: ["rev-list", "--parents", "--stdin"],
    stdin: [...unique, `^${common.text.trim()}`].map((line) => `${line}\n`).join(""),
  });
  const parents = new Map<Oid, readonly Oid[]>();
  for (const line of list.text.split("\n")) {
    const [commit = "", ...before] = line.split(" ");
    if (commit !== "") parents.set(commit, before);
  }
  return basesIn(parents);
}

/**
 * As above, from the parents of each commit. A commit that is only named as a parent has none here; where two such are
 * common, both are answered, since nothing tells which one is behind the other.
 */
export function basesIn(parents: ReadonlyMap<Oid, readonly Oid[]>): MergeBases {
  const known = new Map<Oid, ReadonlySet<Oid>>();
  const ancestors = (tip: Oid): ReadonlySet<Oid> => {
    const before = known.get(tip);
    if (before !== undefined) return before;
    const found = new Set([tip]);
    for (const commit of found) for (const parent of parents.get(commit) ?? []) found.add(parent);
    known.set(tip, found);
    return found;
  };
  return (a, b) => {
    const [left, right] = [ancestors(a), ancestors(b)];
    const common = [...left].filter((commit) => right.has(commit));
    const behind = new Set(common.flatMap((commit) => parents.get(commit) ?? []));
    return common.filter((commit) => !behind.has(commit));
  };
}
