import type { LandedTask } from "../domain/index.ts";
import {
  changedPaths,
  commitTree,
  GRAFTWORK,
  integratedBy,
  isAncestor,
  mergeBase,
  mergePairs,
  type Oid,
  type Repository,
  treeOf,
  withQuarantine,
} from "../git/index.ts";
import { findingsOf, revertedWork } from "./check-merged.ts";
import type { MergeContext } from "./context.ts";
import { mergeMessage } from "./message.ts";
import { type LeftFile, leftText, mergeOnto } from "./resolve-conflicts.ts";

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
};

export type TrainStep = LandedTask & { tree: Oid };
export type TrainConflict = {
  task: string;
  commit: Oid;
  base: Oid;
  paths: readonly string[];
  against: readonly string[];
  /** Where it is something else than lines that collide. */
  reason?: string;
};

export type Train = {
  base: Oid;
  /** The last merge commit; the base where nothing could be merged. */
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
  context: Pick<MergeContext, "repository" | "run" | "person" | "resolving" | "strategy" | "narrate">,
  start: TrainStart,
  candidates: readonly Candidate[],
): Promise<Train> {
  const steps: TrainStep[] = [];
  const conflicts: TrainConflict[] = [];
  const out = new Set(start.out);
  let { tip } = start;
  let tree = await treeOf(context.repository, tip);
  for (const candidate of candidates) {
    if (candidate.dependsOn.some((id) => out.has(id))) {
      out.add(candidate.task);
      continue;
    }
    const step = await addToTrain(context, { commit: tip, tree }, candidate);
    if (step.kind === "merged") {
      steps.push(step.step);
      tip = step.step.merge;
      tree = step.step.tree;
    } else {
      out.add(candidate.task);
      if (context.resolving.level !== "off") for (const file of step.left) context.narrate(`  ${candidate.task}: ${leftText(file)}`);
      const { paths, reason } = step;
      const collision = { commit: candidate.commit, paths };
      const against = await collidersOf(context.repository, [...start.steps, ...steps], collision, start.base);
      conflicts.push({
        task: candidate.task,
        commit: candidate.commit,
        base: tip,
        paths,
        against,
        ...(reason !== undefined && { reason }),
      });
    }
  }
  return { base: start.tip, tip, steps, conflicts };
}

type Added =
  | { kind: "merged"; step: TrainStep }
  | { kind: "conflict"; paths: readonly string[]; left: readonly LeftFile[]; reason?: string };

/** Merges one candidate onto `tip`. Work that is in `tip` already makes no new commit. */
async function addToTrain(context: Parameters<typeof buildTrain>[0], at: { commit: Oid; tree: Oid }, candidate: Candidate): Promise<Added> {
  const tip = at.commit;
  const { repository, run, person, resolving, strategy } = context;
  const { task, branch, commit } = candidate;
  const own = await replayed(repository, tip, candidate);
  const merged = await mergeOnto(repository, own?.ours ?? tip, own?.theirs ?? commit, resolving);
  if (merged.kind === "conflict") return merged;
  const { tree, resolved, both } = merged;
  const clean = { tip, commit, tree };
  const reverted = candidate.base === undefined || own !== undefined ? undefined : await revertedWork(repository, candidate.base, clean);
  if (reverted !== undefined) {
    const reason = `merging it would leave out work that was reverted on the target by ${reverted.by || "a merge"}`;
    return { kind: "conflict", paths: reverted.paths, left: [], reason };
  }
  for (const finding of await findingsOf(repository, clean, both))
    context.narrate(`  ${task}: merged by git, and the proof says of ${finding}`);
  // Only work that changes nothing can be in the tip already.
  if (tree === at.tree && (strategy === "squash" || (await isAncestor(repository, commit, tip))))
    return { kind: "merged", step: { task, branch, branchTip: commit, merge: tip, tree } };
  const message = mergeMessage({ ...candidate, run, strategy }, resolved);
  const parents = strategy === "squash" ? [tip] : [tip, commit];
  const merge = await commitTree(repository, { tree, parents, message, person });
  return { kind: "merged", step: { task, branch, branchTip: commit, merge, tree, ...(resolved.length > 0 && { resolved }) } };
}

/**
 * What stands for the two sides where work goes on from a branch that was squashed, another's or its own: its own changes since its
 * recorded base, since git would take the squashed ones for both sides' (review-core rule 16). Undefined otherwise.
 */
async function replayed(repository: Repository, tip: Oid, { base, commit }: Candidate): Promise<{ ours: Oid; theirs: Oid } | undefined> {
  if (base === undefined || (await isAncestor(repository, base, tip))) return undefined;
  const fork = await mergeBase(repository, tip, base);
  if (fork === undefined || (await integratedBy(repository, { base: fork, tip: base }, tip)) !== "squash") return undefined;
  const like = async (source: Oid, parents: readonly Oid[]): Promise<Oid> =>
    commitTree(repository, { tree: await treeOf(repository, source), parents, message: "graftwork: replayed\n", person: GRAFTWORK });
  const from = await like(base, []);
  return { ours: await like(tip, [from]), theirs: await like(commit, [from]) };
}

/**
 * With which tasks ahead in the train a conflict is: those that touch one of its paths and collide there by themselves,
 * or all that touch one where only several of them together do.
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
