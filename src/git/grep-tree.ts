import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** Returns true if a file of the tree holds this line of text, letter for letter. It reaches git unseen by other users. */
export async function treeHoldsText(repository: Repository, tree: Oid, text: string): Promise<boolean> {
  const args = ["grep", "--quiet", "--fixed-strings", "-f", "-", tree];
  return (await runGit(repository, { ...ownGit(repository, "plain"), args, stdin: `${text}\n`, answers: [0, 1] })).code === 0;
}
