import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** First-parent commits that are looked at. */
const LOOKED_AT = 1_000;

/**
 * The commits of branches whose work the target's own commits since `from` say that they hold (`Graftwork-Commit`),
 * newest first. None where `from` is no commit that is here.
 */
export async function squashedCommits(repository: Repository, from: Oid, target: Oid): Promise<Oid[]> {
  // A merged branch's messages are its agent's to write; the target's first parents are not.
  const args = ["log", "--first-parent", `-${LOOKED_AT}`, "--format=%(trailers:key=Graftwork-Commit,valueonly)", `${from}..${target}`];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 128] });
  return answer.code === 0 ? answer.text.split("\n").filter((line) => /^[0-9a-f]{40,64}$/.test(line)) : [];
}
