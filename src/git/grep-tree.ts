import { askOfObjects } from "./object-answers.ts";
import type { Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";

/** Returns true if a file of the tree holds this text, letter for letter. */
export async function treeHoldsText(repository: Repository, tree: Oid, text: string): Promise<boolean> {
  const args = ["grep", "--quiet", "--fixed-strings", "-e", text, tree];
  return (await askOfObjects(repository, { args, of: [tree], answers: [0, 1] })).code === 0;
}
