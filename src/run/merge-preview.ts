import { type Config, type Plan, type ResolvedFile } from "../domain/index.ts";
import { type Oid, userIdentity, withMergeAttributes, withQuarantine } from "../git/index.ts";
import { buildTrain, type MergeContext, type PredictedConflict, resolvingOf } from "../merge/index.ts";
import type { PoolContext } from "../pool/index.ts";
import { packageChecks } from "../qa/index.ts";
import { handOrder, heldBack, type LeftOut, offeredBranches, targetOf } from "./offered-branches.ts";

export type PreviewRequest = {
  context: PoolContext;
  config: Config;
  into: string | null;
  plan: Plan | null;
  only: readonly string[];
  /** Null: as configured. */
  strategy: MergeContext["strategy"] | null;
};

export type MergePreview = {
  target: string;
  base: Oid;
  order: readonly { task: string; branch: string; commit: Oid; dependsOn: readonly string[]; paths: number | null }[];
  /** Null: the prediction failed, and was narrated. */
  conflicts: readonly PredictedConflict[] | null;
  already: readonly string[];
  left: readonly LeftOut[];
  /** What each branch, and then all of them together, would have to pass. */
  checks: readonly string[];
};

/** What `mergeByHand` would do with the slots as they are: order, predicted conflicts, checks. Changes nothing. */
export async function previewMerge({ config, into, plan, only, strategy, ...asked }: PreviewRequest): Promise<MergePreview> {
  const at = await targetOf(asked.context, into);
  const context = await withAttributes(asked.context, at.base);
  const offered = await offeredBranches(context, { given: plan, only, base: at.base, strategy: strategy ?? config.merge.strategy });
  const { order, prediction } = await handOrder(context, at, offered);
  const checks = config.qa.checks.length > 0 ? config.qa.checks : await packageChecks(context.repository, at.base);
  return {
    ...at,
    order: order.map(({ task, branch, commit, dependsOn }) => {
      const paths = prediction?.touched.get(branch)?.paths.size ?? null;
      return { task, branch, commit, dependsOn, paths };
    }),
    conflicts: prediction === null ? null : prediction.conflicts,
    already: offered.already,
    left: offered.left,
    checks: checks.map((check) => check.name),
  };
}

/** The context with the target's attributes in force, as a merge would have them. */
async function withAttributes(context: PoolContext, base: Oid): Promise<PoolContext> {
  return { ...context, repository: await withMergeAttributes(context.repository, base) };
}

export type MergeDryRun = {
  target: string;
  base: Oid;
  /** `tree`: the target's files once the branch is in. */
  merged: readonly { task: string; branch: string; tree: Oid; resolved: readonly ResolvedFile[] }[];
  conflicts: readonly { task: string; branch: string; paths: readonly string[]; against: readonly string[] }[];
  already: readonly string[];
  left: readonly LeftOut[];
};

/** Builds the train of a merge by hand in memory and says what would land. Verifies nothing, moves and keeps nothing. */
export async function dryRunMerge({ config, into, plan, only, strategy, ...asked }: PreviewRequest): Promise<MergeDryRun> {
  const at = await targetOf(asked.context, into);
  const context = await withAttributes(asked.context, at.base);
  const { repository, run } = context;
  const person = await userIdentity(repository);
  const merging = {
    run,
    target: at.target,
    person,
    resolving: resolvingOf(config),
    strategy: strategy ?? config.merge.strategy,
    narrate: context.narrate,
  };
  const offered = await offeredBranches(context, { given: plan, only, base: at.base, strategy: merging.strategy });
  const { order } = await handOrder(context, at, offered);
  const train = await withQuarantine(repository, (inside) =>
    buildTrain({ ...merging, repository: inside }, { base: at.base, steps: [], tip: at.base, out: new Set() }, order),
  );
  const branchOf = (task: string): string => order.find((one) => one.task === task)?.branch ?? task;
  const merged = new Set(train.steps.map(({ task }) => task));
  const waiting = order.flatMap(({ task, branch, dependsOn }): LeftOut[] => {
    const missing = dependsOn.find((id) => !merged.has(id));
    return merged.has(task) || missing === undefined ? [] : [heldBack({ task, branch }, missing)];
  });
  return {
    ...at,
    merged: train.steps.map(({ task, branch, tree, resolved = [] }) => ({ task, branch, tree, resolved })),
    conflicts: train.conflicts.map(({ task, paths, against }) => ({ task, branch: branchOf(task), paths, against })),
    already: offered.already,
    left: [...offered.left, ...waiting],
  };
}
