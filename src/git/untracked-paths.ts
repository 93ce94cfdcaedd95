import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";
import { adminDirOf, type SlotTree } from "./slot-tree.ts";

/** What is in a slot and not in its index, ignored paths included; whole folders end in `/`. */
export async function untrackedPaths(repository: Repository, slot: SlotTree): Promise<string[]> {
  const answer = await runGit(repository, {
    cwd: slot.path,
    gitDir: adminDirOf(repository, slot),
    workTree: slot.path,
    args: ["ls-files", "-z", "--others", "--directory", "--no-empty-directory"],
  });
  return splitNul(answer.text);
}
