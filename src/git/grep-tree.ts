import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** Returns true if a file of the tree holds this text, letter for letter. */
export async function treeHoldsText(repository: Repository, tree: Oid, text: string): Promise<boolean> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["grep", "--quiet", "--fixed-strings", "-e", text, tree],
    answers: [0, 1],
  });
  return answer.code === 0;
}
