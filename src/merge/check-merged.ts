import { changedPaths, commitsBetween, lastToTouch, listPaths, mergeBase, type Oid, type Repository, readFileAt } from "../git/index.ts";
import { besideLoop } from "./beside-loop.ts";
import { splitLines } from "./resolvers/align/text-lines.ts";
import { countsOf } from "./resolvers/proof/line-counts.ts";

/** A merge that git made without a conflict: `tree` is what `tip` becomes with `commit` merged into it. */
export type CleanMerge = { tip: Oid; commit: Oid; tree: Oid };

/** Beyond so many files that both sides touched the proof is left to the checks. */
const MOST_FILES = 200;

/**
 * What the proof finds in files that both sides changed (`both`) and that git merged by itself, or an agent. It is said
 * and stops nothing: the checks decide (spec: merge "How" 5).
 */
export async function findingsOf(repository: Repository, { tip, commit, tree }: CleanMerge, both: readonly string[]): Promise<string[]> {
  const fork = both.length === 0 ? undefined : await mergeBase(repository, tip, commit);
  if (fork === undefined) return [];
  const found: string[] = [];
  for (const path of both.slice(0, MOST_FILES)) {
    const [base, ours, theirs, merged] = await Promise.all([fork, tip, commit, tree].map((at) => textAt(repository, at, path)));
    if (ours === undefined || theirs === undefined || merged === undefined) continue;
    const done = await besideLoop({ kind: "prove", path, texts: { base: base ?? "", ours, theirs }, merged });
    found.push(...(done.kind === "done" ? done.result.map(({ what }) => `${path}: ${what}`) : [`${path}: nothing, since ${done.why}`]));
  }
  return found;
}

/**
 * Work that a merge silently leaves out: a part of the branch was in the target before and was taken back there, so git
 * takes the reverse for newer (review-core rule 14). `base` is where the work began. Undefined where nothing is missing.
 */
export async function revertedWork(
  repository: Repository,
  base: Oid,
  { tip, commit, tree }: CleanMerge,
): Promise<{ paths: readonly string[]; by: string } | undefined> {
  if ((await mergeBase(repository, tip, commit)) === base) return undefined;
  const own = await commitsBetween(repository, [base], commit);
  const open = new Set(await commitsBetween(repository, [base, tip], commit));
  // A branch that was moved forward, or rebased, holds the target's own commits, and those are nobody's work here.
  const targets = new Set(await commitsBetween(repository, [base], tip));
  const landed = own.find((one) => !open.has(one) && !targets.has(one));
  if (landed === undefined || landed === commit) return undefined;
  const touched = await changedPaths(repository, base, landed);
  const wanted = await listPaths(repository, commit, touched);
  const missing: string[] = [];
  for (const path of wanted) {
    const [before, then, now, merged] = await Promise.all([base, landed, commit, tree].map((at) => countsAt(repository, at, path)));
    const isLost = [...(then ?? [])].some(([line, count]) => {
      const added = Math.min(count, now?.get(line) ?? 0) > (before?.get(line) ?? 0);
      return added && line.trim() !== "" && (merged?.get(line) ?? 0) < Math.min(count, now?.get(line) ?? 0);
    });
    if (isLost) missing.push(path);
  }
  const [first] = missing;
  return first === undefined ? undefined : { paths: missing, by: await lastToTouch(repository, landed, tip, first) };
}

async function countsAt(repository: Repository, at: Oid, path: string): Promise<Map<string, number>> {
  return countsOf(splitLines((await textAt(repository, at, path)) ?? ""));
}

async function textAt(repository: Repository, at: Oid, path: string): Promise<string | undefined> {
  return (await readFileAt(repository, at, path))?.toString("utf8");
}
