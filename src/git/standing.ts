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
 * The commit of a branch's first-parent line that brought a change. `asItIs`: the change is what this commit made of it,
 * since a landing of ours did. Anybody else may have left it out there.
 */
export type Bringer = { at: Oid; asItIs: boolean };

/**
 * Tells how a change stands on a branch. A commit has a change if making the change there does nothing. The change is off
 * if taking it back does nothing.
 */
export async function standingOf(
  repository: Repository,
  change: { from: Oid; to: Oid },
  branch: Oid,
  bringer: Bringer | undefined,
): Promise<Standing> {
  const { from, to } = change;
  const later = await statesOf(repository, change, { tips: [branch], without: bringer?.at ?? from, line: "first-parent" });
  const states = bringer === undefined || bringer.asItIs ? later : [...later, { commit: bringer.at, at: 0 }];
  if (states.length === 0) return { kind: bringer === undefined ? "never" : "there" };
  const making = effectsOf(repository, change);
  const now = await making(branch);
  if (now === "nothing") return { kind: "there" };
  const older = await firstOf(states.slice(1), async ({ commit }) => (await making(commit)) === "nothing");
  if (older === undefined && bringer === undefined) return { kind: "never" };
  const since = older === undefined ? states : states.slice(0, states.indexOf(older));
  const takingBack = effectsOf(repository, { from: to, to: from });
  const off = await firstOf(since.toReversed(), async ({ commit }) => (await takingBack(commit)) === "nothing");
  if (off !== undefined && !(await isElsewhere(repository, change, off.commit, branch)))
    return { kind: "off", by: off.commit, whole: true };
  const by = since.at(-1)?.commit;
  if (now === "something" && by !== undefined) return { kind: "off", by, whole: false };
  // A merge may make another thing of a change. If nobody touched that since, it is there.
  return { kind: later.length === 0 ? "there" : "edited" };
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

/** How many are looked at if the change has no line to look for, as in a binary file. */
const LOOKED_AT_BLINDLY = 60;

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
  if (probe === undefined) return list(LOOKED_AT_BLINDLY);
  const hits = new Set((await list(LOOKED_AT, `-S${probe}`)).map(({ commit }) => commit));
  const all = await list(MOST_STATES);
  return all.filter(({ commit }, n) => n === 0 || hits.has(commit) || hits.has(all[n - 1]?.commit ?? ""));
}

/** How far back a line is looked for. */
const MOST_STATES = 10_000;

/** Returns the longest line that a change adds, or that it removes if it adds none. Returns undefined if no line is of use. */
async function probeOf(repository: Repository, { from, to }: { from: Oid; to: Oid }): Promise<string | undefined> {
  for (const lines of [await freshLines(repository, { from, to }), await freshLines(repository, { from: to, to: from })]) {
    const texts = lines.map((line) => Buffer.from(line, "latin1").toString("utf8"));
    const [longest] = texts.filter((text) => /^(?:[^\p{Cc}\ufffd]|\t){3,500}$/u.test(text)).toSorted((a, b) => b.length - a.length);
    if (longest !== undefined) return longest;
  }
  return undefined;
}

async function firstOf<T>(list: readonly T[], isIt: (one: T) => Promise<boolean>): Promise<T | undefined> {
  for (const one of list) if (await isIt(one)) return one;
  return undefined;
}

/**
 * True if `branch` has most new lines of a change after all, though `by` took it off: `by` itself put them elsewhere, or a
 * later commit brought them back to the same files. Equal lines in other files tell nothing.
 */
async function isElsewhere(repository: Repository, change: { from: Oid; to: Oid }, by: Oid, branch: Oid): Promise<boolean> {
  const fresh = await freshLines(repository, change);
  if (fresh.length === 0) return false;
  const paths = await changedPaths(repository, change.from, change.to);
  const [put, kept, back] = await Promise.all([
    addedLines(repository, `${by}^1`, by),
    addedLines(repository, `${by}^1`, branch),
    addedLines(repository, by, branch, paths),
  ]);
  return 2 * fresh.filter((line) => (put.has(line) && kept.has(line)) || back.has(line)).length >= fresh.length;
}

/** The lines that a change adds, and does not remove elsewhere. */
async function freshLines(repository: Repository, { from, to }: { from: Oid; to: Oid }): Promise<string[]> {
  const [made, removed] = await Promise.all([addedLines(repository, from, to), addedLines(repository, to, from)]);
  return [...made].filter((line) => !removed.has(line));
}

/** The lines that one commit has more than another, without blanks around them. */
async function addedLines(repository: Repository, from: string, to: Oid, paths: readonly string[] = []): Promise<Set<string>> {
  const only = paths.length > MOST_PATHS ? [] : paths;
  const plain = ["-r", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
  const args = ["--literal-pathspecs", "diff-tree", ...plain, from, to, "--", ...only];
  // A first commit has nothing before it.
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args, answers: [0, 128] });
  const hunks = answer.stdout.toString("latin1").split(/^diff --git .*\n(?:[^@].*\n)*/m);
  const lines = hunks.flatMap((text) => text.split("\n").filter((line) => line.startsWith("+")));
  return new Set(lines.map((line) => line.slice(1).trim()).filter((line) => line !== ""));
}
