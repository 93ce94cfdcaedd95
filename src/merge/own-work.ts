import {
  branchCommits,
  changeOf,
  changesOf,
  commitLike,
  type HeldValue,
  integratedBy,
  isAncestor,
  isRunsBase,
  type Listed,
  mergeBase,
  type Oid,
  ownCommits,
  type Repository,
  revertsOf,
} from "../git/index.ts";
import type { At, Candidate, NotAdded, TrainContext } from "./candidate.ts";
import type { MergeContext } from "./context.ts";
import { type Replayed, replay } from "./replay.ts";
import { type Merged, mergeOnto } from "./resolve-conflicts.ts";

/**
 * What a candidate brings: all of its commit (`whole`), nothing since the tip has all of it (`there`), or what was replayed
 * of it.
 */
export type Own = { kind: "whole" } | { kind: "there" } | Replayed | NotAdded;

/**
 * Tells whether all that a candidate's commit would bring is its own. If not, only its own commits are replayed onto the
 * tip: what the target lost does not come back, and what was never the task's does not come along. What a person decided
 * becomes one commit on the tip: the person saw the whole, and the target may have lost the commits behind it. A person
 * is asked if the target held some of the work, and lost it.
 */
export async function ownWork(context: TrainContext, at: At, candidate: Candidate, isDecided: boolean): Promise<Own> {
  const { repository, target } = context;
  const { base, commit, decided } = candidate;
  const began = base !== undefined && (await beganElsewhere(repository, at, base)) ? [base] : [];
  // A person may have decided on what only waited for the target.
  const decidedOn = decided === undefined || (await isAncestor(repository, decided.onto, at.commit)) ? [] : [decided.onto];
  const roots = [...at.lost.map(({ oid }) => oid), ...began, ...decidedOn];
  if (roots.length === 0) return { kind: "whole" };
  const brought = await ownCommits(repository, { commit, tip: at.commit, roots });
  const work = workOf(candidate, isDecided);
  const held = work === undefined ? undefined : await heldBefore(context, work, brought, at);
  if (work !== undefined && held !== undefined) {
    if (await holdsAll(repository, work, at.commit)) return { kind: "there" };
    const reason = `${target} held work of it (${held.slice(0, 12)}) and holds it no longer, so it does not come back by itself: a person says whether it lands`;
    return { kind: "conflict", paths: [], left: [], reason, person: true };
  }
  if (brought.foreign.length === 0) return { kind: "whole" };
  if (!isDecided)
    return replay(context, at, { own: brought.own, branch: candidate.branch, wasHeld: began.length + decidedOn.length === 0 });
  const merged = await mergeWhole(context, at.commit, commit);
  if (merged.kind === "conflict") return merged;
  return { ...merged, kind: "replayed", commit: await commitLike(repository, commit, { tree: merged.tree, parents: [at.commit] }) };
}

/** True if a person's decision stands: the tip has what the person saw, and the commit has the decision. */
export async function isDecidedOn(repository: Repository, { decided, commit }: Candidate, tip: Oid): Promise<boolean> {
  if (decided === undefined) return false;
  return (await isAncestor(repository, decided.onto, tip)) && (await isAncestor(repository, decided.commit, commit));
}

/** `decided`: a person has seen what was held before; of the work only this commit is newer. */
type Work = { task: string; base: Oid; tip: Oid; decided?: Oid };

function workOf({ task, base, commit, decided }: Candidate, isDecided: boolean): Work | undefined {
  if (isDecided && decided !== undefined) return { task, base: decided.onto, tip: commit, decided: decided.commit };
  return base === undefined ? undefined : { task, base, tip: commit };
}

/**
 * Tells whether the target held a part of a task's work and lost it since. Returns the commit that held it: one of the
 * task's own, or one that made the same change. Work that is in `at` now was not lost.
 */
export async function lostWork(
  context: LostContext,
  candidate: Candidate,
  at: { commit: Oid; lost: readonly HeldValue[] },
): Promise<Oid | undefined> {
  const { repository } = context;
  const work = workOf(candidate, await isDecidedOn(repository, candidate, at.commit));
  if (work === undefined) return undefined;
  const brought = await ownCommits(repository, { commit: work.tip, tip: at.commit, roots: at.lost.map(({ oid }) => oid) });
  const held = await heldBefore(context, work, brought, at);
  return held === undefined || (await holdsAll(repository, work, at.commit)) ? undefined : held;
}

type LostContext = Pick<MergeContext, "repository" | "delivered">;

async function heldBefore(
  context: LostContext,
  work: Work,
  { own, foreign }: { own: readonly Listed[]; foreign: readonly Listed[] },
  { commit, lost }: { commit: Oid; lost: readonly HeldValue[] },
): Promise<Oid | undefined> {
  const isOpen = (one: Listed): boolean => work.decided === undefined || one.commit === work.decided;
  const [taken] = await ownAmong(context, work, { foreign: foreign.filter(isOpen), lost });
  return taken ?? (await sameChange(context.repository, { base: work.base, own: own.filter(isOpen) }, { commit, lost }));
}

/** Returns those of some lost commits that the task made on its branch: somebody had brought them into the target. */
export async function ownAmong(
  { repository, delivered = [] }: LostContext,
  { task, base, tip }: Work,
  { foreign, lost }: { foreign: readonly Listed[]; lost: readonly HeldValue[] },
): Promise<Oid[]> {
  const others = delivered.filter((one) => one.task !== task);
  const made = new Set([...lost.flatMap(({ oid, made }) => (made ? [oid] : [])), ...others.map(({ merge }) => merge)]);
  const open = foreign.filter(({ commit }) => !made.has(commit));
  if (open.length === 0) return [];
  const ofBranch = await branchCommits(repository, [base], [tip]);
  const ofOthers =
    others.length === 0
      ? []
      : await branchCommits(
          repository,
          others.map((one) => one.base),
          others.map((one) => one.branchTip),
        );
  return open.map(({ commit }) => commit).filter((commit) => ofBranch.includes(commit) && !ofOthers.includes(commit));
}

/** Returns a lost commit that made the same change as the work, as one of its commits, or as its first few together. */
async function sameChange(
  repository: Repository,
  { base, own }: { base: Oid; own: readonly Listed[] },
  at: { commit: Oid; lost: readonly HeldValue[] },
): Promise<Oid | undefined> {
  const since = Math.min(...own.map((one) => one.at));
  // What the target held before the work was made is an earlier attempt's.
  const later = at.lost.filter((one) => one.since >= since).map(({ oid }) => oid);
  const lost = later.length === 0 ? [] : await changesOf(repository, [at.commit], later);
  if (lost.length === 0) return undefined;
  const made = new Map((await changesOf(repository, [base], [own.at(-1)?.commit ?? base])).map((one) => [one.commit, one]));
  for (const { commit, at: madeAt } of own) {
    const changes = [made.get(commit)?.change, await changeOf(repository, base, commit)].filter((change) => change);
    const holder = lost.find((one) => one.at >= madeAt && (changes.includes(one.change) || one.squashed.includes(commit)));
    if (holder !== undefined) return holder.commit;
  }
  return undefined;
}

/** True if a commit has all of the work, and nobody took a part of it back. */
async function holdsAll(repository: Repository, work: Work, at: Oid): Promise<boolean> {
  if ((await integratedBy(repository, work, at)) === undefined) return false;
  const [revert] = await revertsOf(repository, [{ from: work.base, to: work.tip }], at);
  return revert === undefined;
}

/** True if the work goes on from a commit that is not in the tip, but was the target's, a waiting landing's, or squashed. */
async function beganElsewhere(repository: Repository, { commit: tip, lost }: At, base: Oid): Promise<boolean> {
  if (await isAncestor(repository, base, tip)) return false;
  if (lost.some(({ oid }) => oid === base) || (await isRunsBase(repository, base))) return true;
  const fork = await mergeBase(repository, tip, base);
  return fork !== undefined && (await integratedBy(repository, { base: fork, tip: base }, tip)) === "squash";
}

/** Merges a commit as it is. One without a history in common is merged by no rule. */
export async function mergeWhole({ repository, resolving }: TrainContext, tip: Oid, commit: Oid): Promise<Merged & { reason?: string }> {
  try {
    return await mergeOnto(repository, tip, commit, resolving);
  } catch (error) {
    if ((await mergeBase(repository, tip, commit)) !== undefined) throw error;
    return { kind: "conflict", paths: [], left: [], reason: "the commit has no history in common with the target, so it cannot be merged" };
  }
}
