import { type Config, type Plan, type ResolvedFile } from "../domain/index.ts";
import { type Oid, userIdentity, withMergeAttributes, withQuarantine } from "../git/index.ts";
import { buildTrain, type MergeContext, type PredictedConflict, resolvingOf } from "../merge/index.ts";
import type { PoolContext } from "../pool/index.ts";
import { candidatesOf, deliveredBy } from "./candidates.ts";
import { landedTasks } from "./job-context.ts";
import { failureOf, mayLandNow, whatToMerge } from "./land-approved.ts";
import { checksByHand } from "./merge-by-hand.ts";
import { handOrder, heldBack, type LeftOut, type Offered, offeredBranches, targetOf } from "./offered-branches.ts";

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
  const offered = await offeredNow(context, { into, plan, only, at, strategy: strategy ?? config.merge.strategy });
  const { order, prediction } = await handOrder(context, at, offered);
  const checksFor = await checksByHand(context.repository, config, { base: at.base, plan: offered.plan });
  return {
    ...at,
    order: order.map(({ task, branch, commit, dependsOn }) => {
      const paths = prediction?.touched.get(branch)?.paths.size ?? null;
      return { task, branch, commit, dependsOn, paths };
    }),
    conflicts: prediction === null ? null : prediction.conflicts,
    already: offered.already,
    left: offered.left,
    checks: checksFor({ tasks: order.map(({ task }) => task), earlier: offered.earlier }).map(({ name }) => name),
  };
}

const NO_SLOT: Offered = { candidates: [], already: [], left: [], plan: null, earlier: [] };

/** What `graftwork merge` would offer: approved tasks of a run, then branches of busy slots. */
async function offeredNow(
  context: PoolContext,
  {
    into,
    plan,
    only,
    at,
    strategy,
  }: Pick<PreviewRequest, "into" | "plan" | "only"> & { at: { target: string; base: Oid }; strategy: MergeContext["strategy"] },
): Promise<Offered & Pick<MergeContext, "seen" | "delivered">> {
  const { ofRun, byHand } = whatToMerge(context.repository, only, { into, plan });
  const ofSlots = byHand === null ? NO_SLOT : await offeredBranches(context, { ...at, given: plan, only: byHand, strategy });
  if (ofRun === null) return ofSlots;
  const {
    ids,
    found: { facts },
  } = ofRun;
  const earlier = landedTasks(facts);
  const candidates = candidatesOf(facts, mayLandNow(facts, ids)).map((one) => ({
    ...one,
    dependsOn: one.dependsOn.filter((id) => !earlier.includes(id)),
  }));
  const open = ids.filter((id) => candidates.every(({ task }) => task !== id));
  const isDone = (id: string): boolean => facts.tasks.get(id)?.status === "done";
  const left = open
    .filter((id) => !isDone(id))
    .map((task): LeftOut => {
      const { branch, exit } = failureOf(facts, task);
      return { task, branch: branch.branch, reason: branch.reason, waitsFor: branch.waitsFor, run: null, exit };
    });
  const isOther = ({ task }: { task: string }): boolean => !ids.includes(task);
  return {
    candidates: [...candidates, ...ofSlots.candidates.filter(isOther)],
    already: [...open.filter(isDone).map((id) => facts.tasks.get(id)?.landed?.branch ?? id), ...ofSlots.already],
    left: [...left, ...ofSlots.left.filter(isOther)],
    plan: facts.plan,
    earlier,
    seen: facts.seen,
    delivered: deliveredBy(facts),
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
  conflicts: readonly { task: string; branch: string; paths: readonly string[]; against: readonly string[]; reason: string | null }[];
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
  const offered = await offeredNow(context, { into, plan, only, at, strategy: merging.strategy });
  const { order } = await handOrder(context, at, offered);
  const train = await withQuarantine(repository, (inside) =>
    buildTrain(
      { ...merging, seen: offered.seen ?? [], delivered: offered.delivered ?? [], repository: inside },
      { base: at.base, steps: [], tip: at.base, out: new Set() },
      order,
    ),
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
    conflicts: train.conflicts.map(({ task, paths, against, reason = null }) => ({ task, branch: branchOf(task), paths, against, reason })),
    already: offered.already,
    left: [...offered.left, ...waiting],
  };
}
