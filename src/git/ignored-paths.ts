import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";
import { type SlotTree, slotFiles } from "./slot-tree.ts";

/** Those of a slot's paths that its ignore files name, tracked or not. One git for all. */
export async function ignoredPaths(repository: Repository, slot: SlotTree, paths: readonly string[]): Promise<Set<string>> {
  // git refuses the whole question if one path is a repository.
  const asked = paths.filter((path) => !path.endsWith("/"));
  if (asked.length === 0) return new Set();
  const stdin = pathBytes(asked.map((path) => `${path}\0`).join(""));
  const args = ["check-ignore", "--no-index", "-z", "--stdin"];
  const answer = await runGit(repository, { ...slotFiles(repository, slot), args, stdin, answers: [0, 1, 128] });
  return new Set(splitPaths(answer));
}
