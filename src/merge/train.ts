import type { LandedTask } from "../domain/index.ts";
import {
  changedPaths,
  commitLike,
  commitsOnTop,
  commitTree,
  integratedBy,
  isAncestor,
  isRunsBase,
  type Listed,
  lostValues,
  mergeBase,
  mergePairs,
  type Oid,
  ownCommits,
  type Repository,
  treeOf,
  withQuarantine,
} from "../git/index.ts";
import { findingsOf, revertedWork } from "./check-merged.ts";
import type { MergeContext } from "./context.ts";
import { mergeMessage } from "./message.ts";
import { type Replayed, replay } from "./replay.ts";
import { type LeftFile, leftText, type Merged, mergeOnto } from "./resolve-conflicts.ts";

/** A task whose commit QA approved. */
export type Candidate = {
  task: string;
  title: string;
  branch: string;
  /** The approved commit: this lands, whatever the branch points to by then. */
  commit: Oid;
  dependsOn: readonly string[];
  /** Where the work began; unknown for work that nobody recorded. */
  base?: Oid;
  /** What a person decided in a conflict, and on which commit of the target. It stands in a `commit` that goes on from it. */
  decided?: { commit: Oid; onto: Oid };
  /** Its checks use something that only one of them may use at a time. */
  isExclusive?: boolean;
};

export type TrainStep = LandedTask & { tree: Oid };
export type TrainConflict = {
  task: string;
  commit: Oid;
  base: Oid;
  paths: readonly string[];
  against: readonly string[];
  /** Set if it is something else than lines that collide. */
  reason?: string;
  /** No agent is asked: only a person can say what is meant. */
  person?: true;
};

export type Train = {
  base: Oid;
  /** The last merge commit; the base if nothing could be merged. */
  tip: Oid;
  steps: readonly TrainStep[];
  conflicts: readonly TrainConflict[];
};

/** What a train goes on from: `steps` led from `base` to `tip`, and the tasks of `out` were taken out on the way. */
export type TrainStart = { base: Oid; steps: readonly TrainStep[]; tip: Oid; out: ReadonlySet<string> };

/**
 * Merges the candidates one after another, in memory. One that conflicts is left out, and so is what depends on one
 * that is out; the rest goes on.
 */
export async function buildTrain(
  context: Pick<MergeContext, "repository" | "run" | "target" | "seen" | "person" | "resolving" | "strategy" | "narrate">,
  start: TrainStart,
  candidates: readonly Candidate[],
): Promise<Train> {
  const steps: TrainStep[] = [];
  const conflicts: TrainConflict[] = [];
  const out = new Set(start.out);
  let { tip } = start;
  let tree = await treeOf(context.repository, tip);
  const lost = await lostValues(context.repository, context.target, tip, context.seen ?? []);
  for (const candidate of candidates) {
    if (isHeldBack(candidate, out)) {
      out.add(candidate.task);
      continue;
    }
    const step = await addToTrain(context, { commit: tip, tree, lost }, candidate);
    if (step.kind === "merged") {
      steps.push(step.step);
      tip = step.step.merge;
      tree = step.step.tree;
    } else {
      out.add(candidate.task);
      for (const file of step.left) context.narrate(`  ${candidate.task}: ${leftText(file)}`);
      const { paths, reason, person } = step;
      const collision = { commit: candidate.commit, paths };
      const against = await collidersOf(context.repository, [...start.steps, ...steps], collision, start.base);
      conflicts.push({
        task: candidate.task,
        commit: candidate.commit,
        base: tip,
        paths,
        against,
        ...(reason !== undefined && { reason }),
        ...(person !== undefined && { person }),
      });
    }
  }
  return { base: start.tip, tip, steps, conflicts };
}

/** True if what a candidate depends on is out: it goes back with it. */
export function isHeldBack({ dependsOn }: Candidate, out: ReadonlySet<string>): boolean {
  return dependsOn.some((id) => out.has(id));
}

type Added =
  | { kind: "merged"; step: TrainStep }
  | { kind: "conflict"; paths: readonly string[]; left: readonly LeftFile[]; reason?: string; person?: true };

/** The train's tip. `lost`: what the target held and holds no longer. */
type At = { commit: Oid; tree: Oid; lost: readonly Oid[] };

/** Merges one candidate onto the tip. Work that is in the tip already makes no new commit. */
async function addToTrain(context: Parameters<typeof buildTrain>[0], at: At, candidate: Candidate): Promise<Added> {
  const tip = at.commit;
  const { repository, run, person, strategy } = context;
  const { task, branch, commit } = candidate;
  const { decided } = candidate;
  const isDecided =
    decided !== undefined && (await isAncestor(repository, decided.onto, tip)) && (await isAncestor(repository, decided.commit, commit));
  const own = await ownWork(context, at, { ...candidate, isDecided });
  if (own.kind === "conflict") return own;
  const merged = own.kind === "replayed" ? own : await mergeWhole(context, tip, commit);
  if (merged.kind === "conflict") return merged;
  const { tree, resolved, both } = merged;
  if (own.kind === "whole") {
    const clean = { tip, commit, tree };
    const reverted = isDecided || candidate.base === undefined ? undefined : await revertedWork(repository, candidate.base, clean);
    if (reverted !== undefined) {
      const reason = `merging it would leave out work that was reverted on the target by ${reverted.by || "a merge"}`;
      return { kind: "conflict", paths: reverted.paths, left: [], reason };
    }
    for (const finding of await findingsOf(repository, clean, both))
      context.narrate(`  ${task}: merged by git, and the proof says of ${finding}`);
  }
  const source = own.kind === "replayed" ? own.commit : commit;
  // Only work that changes nothing can be in the tip already.
  if (tree === at.tree && (strategy === "squash" || (await isAncestor(repository, source, tip))))
    return { kind: "merged", step: { task, branch, branchTip: commit, merge: tip, tree } };
  const message = mergeMessage({ ...candidate, run, strategy }, resolved);
  const parents = strategy === "squash" ? [tip] : [tip, source];
  const merge = await commitTree(repository, { tree, parents, message, person });
  return { kind: "merged", step: { task, branch, branchTip: commit, merge, tree, ...(resolved.length > 0 && { resolved }) } };
}

/** Merges a commit as it is. One without a history in common is merged by no rule. */
async function mergeWhole(
  { repository, resolving }: Parameters<typeof buildTrain>[0],
  tip: Oid,
  commit: Oid,
): Promise<Merged & { reason?: string }> {
  try {
    return await mergeOnto(repository, tip, commit, resolving);
  } catch (error) {
    if ((await mergeBase(repository, tip, commit)) !== undefined) throw error;
    return { kind: "conflict", paths: [], left: [], reason: "the commit has no history in common with the target, so it cannot be merged" };
  }
}

type Own = { kind: "whole" } | Replayed | Extract<Added, { kind: "conflict" }>;

/**
 * Tells whether all that a candidate's commit would bring is its own. If not, only its own commits are replayed onto the
 * tip: what the target lost does not come back, and what was never the task's does not come along. What a person decided
 * becomes one commit on the tip: the person saw the whole, and the target may have lost the commits behind it.
 */
async function ownWork(context: Parameters<typeof buildTrain>[0], at: At, candidate: Candidate & { isDecided: boolean }): Promise<Own> {
  const { repository } = context;
  const { base, commit, decided, isDecided } = candidate;
  const began = base !== undefined && (await beganElsewhere(repository, at, base)) ? [base] : [];
  // A person may have decided on what only waited for the target.
  const decidedOn = decided === undefined || (await isAncestor(repository, decided.onto, at.commit)) ? [] : [decided.onto];
  const roots = [...at.lost, ...began, ...decidedOn];
  if (roots.length === 0) return { kind: "whole" };
  const { own, foreign } = await ownCommits(repository, { commit, tip: at.commit, roots });
  if (foreign.length === 0) return { kind: "whole" };
  if (isDecided) {
    const merged = await mergeWhole(context, at.commit, commit);
    if (merged.kind === "conflict") return merged;
    return { ...merged, kind: "replayed", commit: await commitLike(repository, commit, { tree: merged.tree, parent: at.commit }) };
  }
  const held = base === undefined ? undefined : await heldOfItsOwn(repository, { base, commit }, foreign);
  if (base !== undefined && held !== undefined) {
    if ((await integratedBy(repository, { base, tip: commit }, at.commit)) !== undefined) return { kind: "whole" };
    const reason = `${context.target} held work of it (${held.slice(0, 12)}) and holds it no longer, so it does not come back by itself: a person says whether it lands`;
    return { kind: "conflict", paths: [], left: [], reason, person: true };
  }
  return replay(context, at, { own, branch: candidate.branch, wasHeld: began.length + decidedOn.length === 0 });
}

/** A commit that the task made on its branch and that is among `lost` ones: somebody had brought it into the target. */
async function heldOfItsOwn(
  repository: Repository,
  { base, commit }: { base: Oid; commit: Oid },
  lost: readonly Listed[],
): Promise<Oid | undefined> {
  const made = await commitsOnTop(repository, base, commit);
  return lost.find((one) => made.includes(one.commit))?.commit;
}

/** True if the work goes on from a commit that is not in the tip, but was the target's, a waiting landing's, or squashed. */
async function beganElsewhere(repository: Repository, { commit: tip, lost }: At, base: Oid): Promise<boolean> {
  if (await isAncestor(repository, base, tip)) return false;
  if (lost.includes(base) || (await isRunsBase(repository, base))) return true;
  const fork = await mergeBase(repository, tip, base);
  return fork !== undefined && (await integratedBy(repository, { base: fork, tip: base }, tip)) === "squash";
}

/**
 * With which tasks ahead in the train a conflict is: those that touch one of its paths and collide there by themselves,
 * or all that touch one if only several of them together collide.
 */
async function collidersOf(
  repository: Repository,
  steps: readonly TrainStep[],
  { commit, paths }: { commit: Oid; paths: readonly string[] },
  base: Oid,
): Promise<string[]> {
  const wanted = new Set(paths);
  const touching: TrainStep[] = [];
  let before = base;
  for (const step of steps) {
    const changed = await changedPaths(repository, before, step.merge);
    if (changed.some((path) => wanted.has(path))) touching.push(step);
    before = step.merge;
  }
  const merges = await withQuarantine(repository, (inside) =>
    mergePairs(
      inside,
      touching.map((step) => [step.branchTip, commit] as const),
    ),
  );
  const colliding = touching.filter((_, index) => merges[index]?.paths.some((path) => wanted.has(path)) === true);
  return (colliding.length > 0 ? colliding : touching).map(({ task }) => task);
}
