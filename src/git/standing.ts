import { type ChangeBetween, effectsOf } from "./apply-change.ts";
import { changedPaths } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { isAncestor } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { emptyTree } from "./tree-differences.ts";

/**
 * How a change stands on a branch. `there`: the branch has all of it. `edited`: the branch had all of it at `at`, and its
 * lines were changed further. `off`: the branch had all of it, and `by` took it off, `whole` or in part. `never`: the
 * branch did not have all of it, as far as can be told.
 */
export type Standing = { kind: "never" | "there" } | { kind: "edited"; at: Oid } | { kind: "off"; by: Oid; whole: boolean };

/** How many states of the changed files are looked at. */
const LOOKED_AT = 20;

/**
 * Tells how a change stands on a branch. A commit has a change if making the change there does nothing. The change is off
 * if taking it back does nothing. A branch that reaches `to` had the change, whatever its merges made of it.
 */
export async function standingOf(repository: Repository, change: { from: Oid; to: Oid }, branch: Oid): Promise<Standing> {
  const { from, to } = change;
  const wasMerged = await isAncestor(repository, to, branch);
  const paths = await changedPaths(repository, from, to);
  if (paths.length === 0) return { kind: wasMerged ? "there" : "never" };
  const states = await statesOf(repository, { tips: [branch], without: wasMerged ? to : from, paths, line: "first-parent" });
  const [newest] = states;
  if (newest === undefined) return { kind: wasMerged ? "there" : "never" };
  const making = effectsOf(repository, change);
  const now = await making(branch);
  if (now === "nothing") return { kind: "there" };
  const isHeld = async ({ commit }: State): Promise<boolean> => (await making(commit)) === "nothing";
  const older = await firstIndex(states.slice(1), isHeld);
  if (older === undefined && !wasMerged) return { kind: "never" };
  const later = older === undefined ? states : states.slice(0, older + 1);
  const takingBack = effectsOf(repository, { from: to, to: from });
  for (const { commit } of later.toReversed())
    if ((await takingBack(commit)) === "nothing")
      return (await movesMost(repository, change, commit)) ? { kind: "there" } : { kind: "off", by: commit, whole: true };
  if (now === "something") return { kind: "off", by: later.at(-1)?.commit ?? newest.commit, whole: false };
  return { kind: "edited", at: states[later.length]?.commit ?? to };
}

/**
 * Returns a commit that had all of a change, among those that `tips` reach and `without` does not. Such a commit must be
 * no older than `since` (Unix seconds).
 */
export async function holderOf(
  repository: Repository,
  change: ChangeBetween,
  { tips, without, since }: { tips: readonly Oid[]; without: Oid; since: number },
): Promise<Oid | undefined> {
  const paths = await changedPaths(repository, change.from ?? emptyTree(repository), change.to);
  if (paths.length === 0) return undefined;
  const states = (await statesOf(repository, { tips, without, paths, line: "all" })).filter(({ at }) => at >= since);
  const making = effectsOf(repository, change);
  for (const { commit } of states) if ((await making(commit)) === "nothing") return commit;
  return undefined;
}

/** A commit that changed one of the paths looked at. `at`: when it was committed, in Unix seconds. */
type State = { commit: Oid; at: number };

/** Paths that one git is asked about; beyond that, each commit counts. */
const MOST_PATHS = 1_000;

async function statesOf(
  repository: Repository,
  { tips, without, paths, line }: { tips: readonly Oid[]; without: Oid; paths: readonly string[]; line: "first-parent" | "all" },
): Promise<State[]> {
  const order = line === "all" ? [] : ["--first-parent"];
  const only = paths.length > MOST_PATHS ? [] : paths;
  const args = ["--literal-pathspecs", "rev-list", `-${LOOKED_AT}`, ...order, "--no-commit-header", "--format=%H %ct", "--ignore-missing"];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: [...args, ...tips, `^${without}`, "--", ...only] });
  return answer.text.split("\n").flatMap((text) => {
    const [commit = "", at = "0"] = text.split(" ");
    return commit === "" ? [] : [{ commit, at: Number(at) }];
  });
}

async function firstIndex<T>(list: readonly T[], isIt: (one: T) => Promise<boolean>): Promise<number | undefined> {
  for (const [index, one] of list.entries()) if (await isIt(one)) return index;
  return undefined;
}

/** True if a commit adds again, anywhere, most new lines of a change. So it moved or rewrote them, and took nothing off. */
async function movesMost(repository: Repository, { from, to }: { from: Oid; to: Oid }, by: Oid): Promise<boolean> {
  const [made, removed] = await Promise.all([addedLines(repository, from, to), addedLines(repository, to, from)]);
  const fresh = [...made].filter((line) => !removed.has(line));
  if (fresh.length === 0) return false;
  const added = await addedLines(repository, `${by}^1`, by);
  return 2 * fresh.filter((line) => added.has(line)).length >= fresh.length;
}

/** The lines that one commit has more than another, without blanks around them. */
async function addedLines(repository: Repository, from: string, to: Oid): Promise<Set<string>> {
  const args = ["diff-tree", "-r", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", from, to];
  // A first commit has nothing before it.
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 128] });
  const hunks = answer.stdout.toString("latin1").split(/^diff --git .*\n(?:[^@].*\n)*/m);
  const lines = hunks.flatMap((text) => text.split("\n").filter((line) => line.startsWith("+")));
  return new Set(lines.map((line) => line.slice(1).trim()).filter((line) => line !== ""));
}
