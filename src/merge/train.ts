import type { LandedTask } from "../domain/index.ts";
import {
  changedPaths,
  commitTree,
  isAncestor,
  lostValues,
  mergePairs,
  type Oid,
  type Repository,
  treeOf,
  withQuarantine,
} from "../git/index.ts";
import type { At, Candidate, NotAdded, TrainContext } from "./candidate.ts";
import { findingsOf, revertedWork } from "./check-merged.ts";
import { mergeMessage } from "./message.ts";
import { isDecidedOn, mergeWhole, ownWork } from "./own-work.ts";
import { leftText } from "./resolve-conflicts.ts";
import { unseenChanges, unseenSecrets } from "./unseen-work.ts";

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
  /** A person has to let the work in. */
  isProtected?: true;
  /** The next attempt begins at the target. Its agent is shown nothing of this work. */
  startOver?: true;
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
export async function buildTrain(context: TrainContext, start: TrainStart, candidates: readonly Candidate[]): Promise<Train> {
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
      const { paths, reason, person, isProtected, startOver } = step;
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
        ...(isProtected !== undefined && { isProtected }),
        ...(startOver !== undefined && { startOver }),
      });
    }
  }
  return { base: start.tip, tip, steps, conflicts };
}

/** True if what a candidate depends on is out: it goes back with it. */
export function isHeldBack({ dependsOn }: Candidate, out: ReadonlySet<string>): boolean {
  return dependsOn.some((id) => out.has(id));
}

type Added = { kind: "merged"; step: TrainStep } | NotAdded;

/** Merges one candidate onto the tip. Work that is in the tip already makes no new commit. */
async function addToTrain(coordinator: TrainContext, at: At, candidate: Candidate): Promise<Added> {
  const tip = at.commit;
  const { repository, run, person, strategy } = coordinator;
  const held = (tree: Oid): ReturnType<typeof unseenChanges> => unseenChanges(coordinator, candidate, { from: at.tree, tree });
  const context = { ...coordinator, resolving: { ...coordinator.resolving, held } };
  const { task, branch, commit } = candidate;
  const isDecided = await isDecidedOn(repository, candidate, tip);
  const own = await ownWork(context, at, candidate, isDecided);
  if (own.kind === "there") return { kind: "merged", step: { task, branch, branchTip: commit, merge: tip, tree: at.tree } };
  // Before conflicts are looked at: no resolver and no packet may show a secret.
  const secret = await unseenSecrets(coordinator, candidate, tip);
  if (secret !== undefined) return { kind: "conflict", left: [], person: true, isProtected: true, ...secret };
  if (own.kind === "conflict") return own;
  const merged = own.kind === "replayed" ? own : await mergeWhole(context, tip, commit);
  if (merged.kind === "conflict") return merged;
  const { tree, resolved, both } = merged;
  const unseen = await held(tree);
  if (unseen !== undefined) return { kind: "conflict", left: [], person: true, isProtected: true, ...unseen };
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
