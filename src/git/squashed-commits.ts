import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** First-parent commits that are looked at. */
const LOOKED_AT = 1_000;

/**
 * Reads the `Graftwork-Commit` lines in the messages of commits that `to` reaches and `from` does not, newest first. Each
 * names a commit of a branch that was squashed. Returns an empty list if a commit of `from` is missing.
 */
export async function squashedCommits(repository: Repository, from: readonly Oid[], to: readonly Oid[]): Promise<Oid[]> {
  // A merged branch's messages are its agent's to write; the target's first parents are not.
  const format = "--format=%(trailers:key=Graftwork-Commit,valueonly)";
  const args = ["log", "--first-parent", `-${LOOKED_AT}`, format, ...to, ...from.map((oid) => `^${oid}`)];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 128] });
  return answer.code === 0 ? answer.text.split("\n").filter((line) => /^[0-9a-f]{40,64}$/.test(line)) : [];
}
