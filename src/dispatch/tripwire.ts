import { lstatSync } from "node:fs";
import { below, checkoutChanges, pathBytes, type Repository } from "../git/index.ts";

/** Unsaved paths of the user's checkout, each with what tells one version of it from another. */
export type CheckoutState = ReadonlyMap<string, string>;

/** Reads which files of the user's checkout are unsaved. Costs one `git status`. */
export async function checkoutState(repository: Repository): Promise<CheckoutState> {
  const paths = await checkoutChanges(repository);
  return new Map(paths.map((path) => [path, versionOf(below(repository.root, path, "disk"))]));
}

/**
 * Returns the paths of the user's checkout that changed between two looks. Nobody can tell who changed them: the user
 * works there, and several agents run at once. So the caller warns and refuses no work.
 */
export function changedSince(before: CheckoutState, after: CheckoutState): string[] {
  return [...after].filter(([path, version]) => before.get(path) !== version).map(([path]) => path);
}

function versionOf(path: string): string {
  const stat = lstatSync(pathBytes(path), { throwIfNoEntry: false });
  return stat === undefined ? "gone" : `${stat.size} ${stat.mtimeMs}`;
}
