import { LOCKFILES, packageManagerOf } from "../checkout/index.ts";
import { listPaths, type Oid, type Repository, type TreeDifference } from "../git/index.ts";

/**
 * Returns the lockfiles whose addition or removal changes which package manager installs their folder. `from`: the tree before.
 * A folder without a lockfile may get any kind. At the top, npm installs a project that has no lockfile.
 */
export async function otherManagers(
  repository: Repository,
  from: Oid,
  differences: readonly TreeDifference[],
): Promise<ReadonlySet<string>> {
  const changed = differences.flatMap((one) => lockfileIn(one) ?? []);
  const folders = [...new Set(changed.map(({ folder }) => folder))];
  if (folders.length === 0) return new Set();
  const all = folders.flatMap((folder) => LOCKFILES.map((name) => `${folder}${name}`));
  const there = new Set(await listPaths(repository, from, all));
  const found = new Set<string>();
  for (const folder of folders) {
    const own = changed.filter((one) => one.folder === folder);
    const before = packageManagerOf((name) => there.has(`${folder}${name}`));
    const hasAfter = (name: string): boolean => {
      const change = own.find((one) => one.name === name);
      return change === undefined ? there.has(`${folder}${name}`) : change.isThere;
    };
    const after = packageManagerOf(hasAfter) ?? (folder === "" ? "npm" : before);
    if (before !== undefined && after !== before) for (const { path } of own) found.add(path);
  }
  return found;
}

/** Returns the lockfile that a path names, in any letter case, or the lockfile name of a folder above it. */
function lockfileIn({ path, to }: TreeDifference): { path: string; folder: string; name: string; isThere: boolean } | undefined {
  const parts = path.split("/");
  const at = parts.findIndex((part) => LOCKFILES.includes(part.toLowerCase()));
  if (at < 0) return undefined;
  const folder = parts
    .slice(0, at)
    .map((part) => `${part}/`)
    .join("");
  return { path, folder, name: (parts[at] ?? "").toLowerCase(), isThere: to !== null };
}
