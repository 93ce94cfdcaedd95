import { type ChangeBetween, effectsOf } from "./apply-change.ts";
import { changedPaths } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { emptyTree } from "./tree-differences.ts";

/**
 * How a change stands on a branch. `there`: the branch has all of it. `edited`: the branch had all of it, and its lines
 * were changed further. `off`: the branch had all of it, and `by` took it off, `whole` or in part. `never`: the branch did
 * not have all of it, as far as can be told.
 */
export type Standing = { kind: "never" | "there" | "edited" } | { kind: "off"; by: Oid; whole: boolean };

/**
 * Tells how a change stands on a branch. A commit has a change if making the change there does nothing. The change is off
 * if taking it back does nothing. `heldAt`: a commit of the branch's first-parent line that brought the change, whatever a
 * merge made of it.
 */
export async function standingOf(
  repository: Repository,
  change: { from: Oid; to: Oid },
  branch: Oid,
  heldAt: Oid | undefined,
): Promise<Standing> {
  const { from, to } = change;
  const wasHeld = heldAt !== undefined;
  const states = await statesOf(repository, change, { tips: [branch], without: heldAt ?? from, line: "first-parent" });
  if (states.length === 0) return { kind: wasHeld ? "there" : "never" };
  const making = effectsOf(repository, change);
  const now = await making(branch);
  if (now === "nothing") return { kind: "there" };
  const older = await firstOf(states.slice(1), async ({ commit }) => (await making(commit)) === "nothing");
  if (older === undefined && !wasHeld) return { kind: "never" };
  const later = older === undefined ? states : states.slice(0, states.indexOf(older));
  const takingBack = effectsOf(repository, { from: to, to: from });
  const off = await firstOf(later.toReversed(), async ({ commit }) => (await takingBack(commit)) === "nothing");
  if (off !== undefined && !(await isElsewhere(repository, change, off.commit, branch)))
    return { kind: "off", by: off.commit, whole: true };
  const by = later.at(-1)?.commit;
  return now === "something" && by !== undefined ? { kind: "off", by, whole: false } : { kind: "edited" };
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
  const making = effectsOf(repository, change);
  for (const { commit, at } of await statesOf(repository, change, { tips, without, line: "all" }))
    if (at >= since && (await making(commit)) === "nothing") return commit;
  return undefined;
}

/** A commit after which the files of a change were different. `at`: when it was committed, in Unix seconds. */
type State = { commit: Oid; at: number };

/** How many commits are looked at. */
const LOOKED_AT = 20;

/** Paths that one git is asked about; beyond that, each commit counts. */
const MOST_PATHS = 1_000;

type Line = { tips: readonly Oid[]; without: Oid; line: "first-parent" | "all" };

/**
 * Returns the commits that changed the files of a change, newest first. If there are many, only those count that added or
 * removed a certain line of the change, and the commit before each of them.
 */
async function statesOf(repository: Repository, change: ChangeBetween, { tips, without, line }: Line): Promise<State[]> {
  const from = change.from ?? emptyTree(repository);
  const paths = await changedPaths(repository, from, change.to);
  if (paths.length === 0) return [];
  const only = paths.length > MOST_PATHS ? [] : paths;
  const list = async (most: number, ...more: readonly string[]): Promise<State[]> => {
    const kind = line === "all" ? ["--diff-merges=off"] : ["--first-parent", "--diff-merges=first-parent"];
    const args = [
      "-c",
      "log.follow=false",
      "--literal-pathspecs",
      "log",
      `-${most}`,
      ...kind,
      "--no-ext-diff",
      "--no-textconv",
      "--no-show-signature",
    ];
    const range = ["-s", "--format=%H %ct", "--ignore-missing", ...more, ...tips, `^${without}`, "--", ...only];
    const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: [...args, ...range] });
    return answer.text.split("\n").flatMap((text) => {
      const [commit = "", at = "0"] = text.split(" ");
      return commit === "" ? [] : [{ commit, at: Number(at) }];
    });
  };
  const newest = await list(LOOKED_AT);
  if (newest.length < LOOKED_AT) return newest;
  const probe = await probeOf(repository, { from, to: change.to });
  if (probe === undefined) return newest;
  const hits = new Set((await list(LOOKED_AT, `-S${probe}`)).map(({ commit }) => commit));
  const all = await list(MOST_STATES);
  return all.filter(({ commit }, n) => n === 0 || hits.has(commit) || hits.has(all[n - 1]?.commit ?? ""));
}

/** How far back a line is looked for. */
const MOST_STATES = 10_000;

/** Returns the longest line of letters, digits and the like that a change adds, or that it removes if it adds none. */
async function probeOf(repository: Repository, { from, to }: { from: Oid; to: Oid }): Promise<string | undefined> {
  for (const lines of [await freshLines(repository, { from, to }), await freshLines(repository, { from: to, to: from })]) {
    const [longest] = lines.filter((line) => /^[\x20-\x7e]{3,500}$/.test(line)).toSorted((a, b) => b.length - a.length);
    if (longest !== undefined) return longest;
  }
  return undefined;
}

async function firstOf<T>(list: readonly T[], isIt: (one: T) => Promise<boolean>): Promise<T | undefined> {
  for (const one of list) if (await isIt(one)) return one;
  return undefined;
}

/**
 * True if `branch` has most new lines of a change after all, though `by` took it off: `by` moved or rewrote them, or a
 * later commit brought them back.
 */
async function isElsewhere(repository: Repository, change: { from: Oid; to: Oid }, by: Oid, branch: Oid): Promise<boolean> {
  const fresh = await freshLines(repository, change);
  if (fresh.length === 0) return false;
  const added = await Promise.all([`${by}^1`, by].map((from) => addedLines(repository, from, branch)));
  return 2 * fresh.filter((line) => added.some((lines) => lines.has(line))).length >= fresh.length;
}

/** The lines that a change adds, and does not remove elsewhere. */
async function freshLines(repository: Repository, { from, to }: { from: Oid; to: Oid }): Promise<string[]> {
  const [made, removed] = await Promise.all([addedLines(repository, from, to), addedLines(repository, to, from)]);
  return [...made].filter((line) => !removed.has(line));
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
