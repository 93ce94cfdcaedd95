import {
  type BranchWork,
  branchCommits,
  type ChangeBetween,
  commitLike,
  commitsOnTop,
  commitTime,
  effectOf,
  type HeldValue,
  holderOf,
  integratedBy,
  isAncestor,
  isIntegrated,
  isRunsBase,
  type Listed,
  makesChange,
  mergeBase,
  type Oid,
  ownCommits,
  partsOf,
  type Repository,
  squashedCommits,
  standIns,
  standingInParts,
  treeOf,
  treesOfLine,
} from "../git/index.ts";
import type { At, Candidate, NotAdded, TrainContext } from "./candidate.ts";
import type { MergeContext } from "./context.ts";
import { type Replayed, replay } from "./replay.ts";
import { type Merged, mergeOnto } from "./resolve-conflicts.ts";

/**
 * What a candidate brings. `whole`: its commit, as it is. `there`: nothing, because the tip has all of it. `replayed`: its
 * own commits, put onto the tip.
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
  const decidedOn = decided === undefined || (await holdsState(repository, decided.onto, at.commit)) ? [] : [decided.onto];
  const lost = at.lost.map(({ oid }) => oid);
  const roots = [...lost, ...began, ...decidedOn];
  if (roots.length === 0) return { kind: "whole" };
  const held = lost.length === 0 ? undefined : await lostWork(context, candidate, at);
  if (held?.kind === "there") return held;
  if (held !== undefined) {
    const reason = `${target} held work of it (${held.by.slice(0, 12)}) and holds it no longer, so it does not come back by itself: a person says whether it lands`;
    return { kind: "conflict", paths: [], left: [], reason, person: true };
  }
  const brought = await ownCommits(repository, { commit, tip: at.commit, roots });
  if (brought.foreign.length === 0) return { kind: "whole" };
  if (!isDecided || decided === undefined)
    return replay(context, at, { own: brought.own, branch: candidate.branch, wasHeld: began.length + decidedOn.length === 0 });
  const step = await standIns(repository, { from: decided.onto, to: commit }, at.commit);
  const merged = await mergeOnto(repository, step.ours, step.theirs, context.resolving);
  if (merged.kind === "conflict") return merged;
  return { ...merged, kind: "replayed", commit: await commitLike(repository, commit, { tree: merged.tree, parents: [at.commit] }) };
}

/** True if a person's decision stands: the tip has what the person saw, and the commit has the decision. */
export async function isDecidedOn(repository: Repository, { decided, commit }: Candidate, tip: Oid): Promise<boolean> {
  if (decided === undefined) return false;
  return (await holdsState(repository, decided.onto, tip)) && (await isAncestor(repository, decided.commit, commit));
}

/** True if a commit came from another, or from one with the same files: an amended message changes nothing that matters. */
async function holdsState(repository: Repository, state: Oid, tip: Oid): Promise<boolean> {
  return (await isAncestor(repository, state, tip)) || (await treesOfLine(repository, tip)).includes(await treeOf(repository, state));
}

type LostContext = Pick<MergeContext, "repository" | "delivered">;
type AtLost = { commit: Oid; lost: readonly HeldValue[] };

/**
 * Tells whether the target held a part of a task's work and lost it since, or has all of it by other commits (`there`).
 * `by`: the commit that held it, one of the task's own or one that made the same change. After a person's decision only
 * later losses count.
 */
export async function lostWork(
  context: LostContext,
  candidate: Candidate,
  at: AtLost,
): Promise<{ kind: "lost"; by: Oid } | { kind: "there" } | undefined> {
  const { repository } = context;
  const { task, commit, decided } = candidate;
  const isKnown = decided !== undefined && (await isDecidedOn(repository, candidate, at.commit));
  const base = isKnown ? decided.onto : candidate.base;
  const seen = isKnown ? await commitTime(repository, decided.commit) : -1;
  const lost = at.lost.filter(({ since }) => since > seen);
  if (base === undefined || lost.length === 0) return undefined;
  const work = { task, base, tip: commit };
  const { own, foreign } = await ownCommits(repository, { commit, tip: at.commit, roots: lost.map(({ oid }) => oid) });
  const mine = await ownAmong(context, work, foreign, { lost });
  const held = (await lostOf(repository, base, mine, at.commit)) ?? (await heldAlike(repository, work, own, { ...at, lost }));
  if (held === undefined) return mine.length > 0 && own.length === 0 ? { kind: "there" } : undefined;
  const made = new Set(at.lost.flatMap(({ oid, made }) => (made ? [oid] : [])));
  return (await holdsAll(repository, work, at.commit, made)) ? { kind: "there" } : { kind: "lost", by: held };
}

type Work = BranchWork & { task: string };

/** Of the commits that the target lost (`foreign`), returns those that the task made itself on its branch. */
export async function ownAmong(
  { repository, delivered = [] }: LostContext,
  { task, base, tip }: Work,
  foreign: readonly Listed[],
  { lost }: Pick<AtLost, "lost">,
): Promise<Listed[]> {
  const others = delivered.filter((one) => one.task !== task);
  const made = new Set([...lost.flatMap(({ oid, made }) => (made ? [oid] : [])), ...others.map(({ merge }) => merge)]);
  const open = foreign.filter(({ commit }) => !made.has(commit));
  if (open.length === 0) return [];
  const ofBranch = await branchCommits(repository, [base], [tip]);
  const lines = await Promise.all(others.map((one) => commitsOnTop(repository, one.base, one.branchTip)));
  const [ofOthers, onLine] = [new Set(lines.flat()), new Set(await commitsOnTop(repository, base, tip))];
  // A branch may have merged another one. The branch that made a commit has it on its first-parent line.
  return open.filter(({ commit }) => ofBranch.includes(commit) && (onLine.has(commit) || !ofOthers.has(commit)));
}

/** How many commits are looked at one by one. */
const COMPARED = 20;

/** Returns one of the task's lost commits whose change the target lacks. If the target has a change, its commit was rewritten. */
async function lostOf(repository: Repository, base: Oid, own: readonly Listed[], at: Oid): Promise<Oid | undefined> {
  const newest = own.at(-1);
  if (newest === undefined || (await effectOf(repository, { from: base, to: newest.commit }, at)) === "nothing") return undefined;
  if (own.length > COMPARED) return newest.commit;
  for (const { commit, parents } of own) {
    const isThere = parents.length < 2 && (await effectOf(repository, { from: parents[0], to: commit }, at)) === "nothing";
    if (!isThere) return commit;
  }
  return undefined;
}

/**
 * Returns a lost commit that had all of the work, or a part of it, if `at` lacks that. If the message of a lost squash names
 * a commit of the task, returns the named commit. `own`: the task's commits that the target never reached.
 */
async function heldAlike(repository: Repository, work: Work, own: readonly Listed[], at: AtLost): Promise<Oid | undefined> {
  const begun = Math.min(...own.map((one) => one.at));
  // What the target held before the work was made is an earlier attempt's.
  const tips = at.lost.filter(({ since }) => since >= begun).map(({ oid }) => oid);
  if (tips.length === 0) return undefined;
  const isLacking = async (change: ChangeBetween): Promise<boolean> =>
    (await effectOf(repository, change, at.commit)) !== "nothing" && (await makesChange(repository, work, change));
  const named = await squashedCommits(repository, [at.commit], tips);
  const squashed = own.find(({ commit }) => named.includes(commit))?.commit;
  if (squashed !== undefined && (await isLacking({ from: work.base, to: squashed }))) return squashed;
  for (const part of partsOf(work, own)) {
    const holder = await holderOf(repository, part, { tips, without: at.commit, since: part.at });
    if (holder !== undefined && (await isLacking(part))) return holder;
  }
  return undefined;
}

/** True if a commit has all of the work, and nobody took a part of it back. */
async function holdsAll(repository: Repository, work: Work, at: Oid, notOwn: ReadonlySet<Oid>): Promise<boolean> {
  return (await isIntegrated(repository, work, at)) && (await standingInParts(repository, work, at, notOwn)).kind !== "off";
}

/** True if the tip lacks the commit where the work began, and that commit was on the target, waited for it, or was squashed. */
async function beganElsewhere(repository: Repository, { commit: tip, lost }: At, base: Oid): Promise<boolean> {
  if (await isAncestor(repository, base, tip)) return false;
  if (lost.some(({ oid }) => oid === base) || (await isRunsBase(repository, base))) return true;
  const fork = await mergeBase(repository, tip, base);
  return fork !== undefined && (await integratedBy(repository, { base: fork, tip: base }, tip)) !== undefined;
}

/** Merges a commit as it is. A commit that shares no history with the target is a conflict. */
export async function mergeWhole({ repository, resolving }: TrainContext, tip: Oid, commit: Oid): Promise<Merged & { reason?: string }> {
  try {
    return await mergeOnto(repository, tip, commit, resolving);
  } catch (error) {
    if ((await mergeBase(repository, tip, commit)) !== undefined) throw error;
    return { kind: "conflict", paths: [], left: [], reason: "the commit has no history in common with the target, so it cannot be merged" };
  }
}
