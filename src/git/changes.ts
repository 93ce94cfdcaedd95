import { createHash } from "node:crypto";
import { isOid, type Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** How many commits are read. A change in an older commit is not found. */
const LOOKED_AT = 1_000;

/**
 * What one commit changes. `change` is the same for two commits that change the same lines in the same surroundings,
 * wherever these lines are: a hint, and no proof. It is "" for a merge, and for a commit that changes nothing. `at`: when
 * it was committed, in Unix seconds. `squashed`: commits that its message says it holds.
 */
export type Change = { commit: Oid; at: number; parents: readonly Oid[]; change: string; squashed: readonly Oid[] };

const SHARED = ["-p", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-prefix", "--full-index", "--unified=3"];

/** Returns what stands for one change, as in `Change`; undefined if it changes nothing. */
export async function changeOf(repository: Repository, from: Oid, to: Oid): Promise<string | undefined> {
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["diff-tree", "-r", ...SHARED, from, to] });
  return digestOf(answer.stdout.toString("latin1")) || undefined;
}

/** Returns what each commit changes that `to` reaches and `from` does not, newest first. `reversed`: what its revert would change. */
export async function changesOf(
  repository: Repository,
  from: readonly Oid[],
  to: readonly Oid[],
  direction: "forward" | "reversed" = "forward",
): Promise<Change[]> {
  const format = "--format=%x00%H %ct %P%x00%(trailers:key=Graftwork-Commit,valueonly,separator=%x2C)%x00";
  const reversed = direction === "reversed" ? ["-R"] : [];
  const range = [...to, ...from.map((oid) => `^${oid}`)];
  const args = [
    "-c",
    "log.showRoot=true",
    "log",
    `-${LOOKED_AT}`,
    "--topo-order",
    "--no-show-signature",
    "--diff-merges=off",
    format,
    ...SHARED,
    ...reversed,
    ...range,
  ];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 128] });
  return changesIn(answer.stdout.toString("latin1"));
}

const RECORD = /\0([0-9a-f]{40,64}) (\d+) ?((?:[0-9a-f]{40,64} ?)*)\0([^\0]*)\0/;

function changesIn(log: string): Change[] {
  const found: Change[] = [];
  const [, ...parts] = log.split(RECORD);
  for (let n = 0; n < parts.length; n += 5) {
    const [commit = "", at = "0", parents = "", squashed = "", patch = ""] = parts.slice(n, n + 5);
    found.push({
      commit,
      at: Number(at),
      parents: parents.split(" ").filter(isOid),
      change: digestOf(patch),
      squashed: squashed.split(",").filter(isOid),
    });
  }
  return found;
}

/** Digests a patch without line numbers and blob ids. Blanks count. Empty lines do not: git only puts them between patches. */
function digestOf(patch: string): string {
  const files = patch.split(/^(?=diff --git )/m).filter((file) => file.startsWith("diff --git "));
  if (files.length === 0) return "";
  const hash = createHash("sha256");
  for (const file of files) {
    // A binary file shows no lines, so its blob ids count.
    const isBinary = /^Binary files /m.test(file);
    const kept = file.split("\n").filter((line) => isBinary || !/^(?:index |@@ )/.test(line));
    hash.update(kept.join("\n").replace(/\n+$/, "")).update("\0");
  }
  return hash.digest("hex");
}
