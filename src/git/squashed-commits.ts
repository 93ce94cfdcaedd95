import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** First-parent commits that are looked at. */
const LOOKED_AT = 1_000;

/** A commit of a branch's first-parent line, and the commit whose work its message says it brings. */
export type Squash = { commit: Oid; of: Oid };

/**
 * Reads the `Graftwork-Commit` lines in the messages of commits that `to` reaches and `from` does not, newest first. Each
 * names a commit of a branch that was squashed or merged. Returns an empty list if a commit of `from` is missing.
 */
export async function squashesIn(repository: Repository, from: readonly Oid[], to: readonly Oid[]): Promise<Squash[]> {
  // A merged branch's messages are its agent's to write; the target's first parents are not.
  const format = "--format=%H %(trailers:key=Graftwork-Commit,valueonly,separator=%x20)";
  const args = ["log", "--first-parent", `-${LOOKED_AT}`, format, ...to, ...from.map((oid) => `^${oid}`)];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 128] });
  const lines = answer.code === 0 ? answer.text.split("\n") : [];
  return lines.flatMap((line) => {
    const [commit = "", ...named] = line.split(" ");
    return named.filter((of) => /^[0-9a-f]{40,64}$/.test(of)).map((of) => ({ commit, of }));
  });
}

/** Returns the commits of branches that these messages name: see `squashesIn`. */
export async function squashedCommits(repository: Repository, from: readonly Oid[], to: readonly Oid[]): Promise<Oid[]> {
  return (await squashesIn(repository, from, to)).map(({ of }) => of);
}
