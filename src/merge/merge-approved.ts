import type { LandedTask } from "../domain/index.ts";
import { type Oid, readRef, settleDeadLandings, updateRefs } from "../git/index.ts";
import { keepVerified } from "../trust/index.ts";
import type { Candidate } from "./candidate.ts";
import type { MergeContext } from "./context.ts";
import { type LandResult, land, mergedRef } from "./land.ts";
import { targetGone } from "./target-gone.ts";
import type { TrainStep } from "./train.ts";
import { trainRef, verifyTrain } from "./verify-train.ts";

/** How often a train is built again because the target moved while it was verified. */
const MOVES = 5;

export type Waiting = { from: Oid; to: Oid; tasks: readonly LandedTask[] };

/**
 * What a caller offers on a target's commit: work that may land (`mayLand`), in an order that respects its dependencies.
 * `earlier`: tasks of the same run that the target holds. `waiting`: a landing on that very commit that waits for the
 * target's checkout; the train goes on from there.
 */
export type Offer = { candidates: readonly Candidate[]; earlier: readonly string[]; waiting: Waiting | null };

export type MergeResult = { landed: readonly string[]; result: LandResult | { kind: "nothing" } };

/**
 * Merges, verifies and lands: the one road to the target, for every caller. The target moves only to the commit that was
 * verified. If the target moves meanwhile, `offerOn` is asked again and all steps are repeated.
 */
export async function mergeApproved(context: MergeContext, offerOn: (target: Oid) => Promise<Offer>): Promise<MergeResult> {
  // Of a coordinator that was killed and has no journal to be continued from.
  await settleDeadLandings(context.repository, `refs/heads/${context.target}`);
  const end = await landTrain(context, offerOn);
  // What waits is held by a ref of its own, and a red train by nothing: it is built anew.
  await unpin(context, end.result.kind === "landed" ? [trainRef(context.run), mergedRef(context.run)] : [trainRef(context.run)]);
  return end;
}

async function landTrain(context: MergeContext, offerOn: (target: Oid) => Promise<Offer>): Promise<MergeResult> {
  for (let moves = 0; moves < MOVES; moves++) {
    const target = await readRef(context.repository, `refs/heads/${context.target}`);
    if (target === undefined) throw targetGone(context.target, context.seen?.at(-1));
    const { candidates, earlier, waiting } = await offerOn(target);
    if (candidates.length === 0) return { landed: [], result: { kind: "nothing" } };
    const queued = waiting?.tasks ?? [];
    const before = [...earlier, ...queued.map(({ task }) => task)];
    const train = await verifyTrain(context, { target, base: waiting?.to ?? target, earlier: before }, candidates);
    if (train.steps.length === 0) return { landed: [], result: { kind: "nothing" } };
    const steps: LandedTask[] = [...queued, ...train.steps.map(landedTask)];
    keepVerified(context.repository.layout, context.run, train.tip);
    const result = await land(context, { from: target, to: train.tip, tasks: steps });
    if (result.kind !== "moved") return { landed: result.kind === "landed" ? steps.map((step) => step.task) : [], result };
    context.narrate(`${context.target} moved while the merge was verified: merging and verifying again`);
  }
  return { landed: [], result: { kind: "moved", at: await readRef(context.repository, `refs/heads/${context.target}`) } };
}

function landedTask({ task, branch, branchTip, merge, resolved }: TrainStep): LandedTask {
  return { task, branch, branchTip, merge, ...(resolved !== undefined && { resolved }) };
}

async function unpin({ repository, fence }: MergeContext, refs: readonly string[]): Promise<void> {
  const olds = await Promise.all(refs.map(async (ref) => ({ ref, old: await readRef(repository, ref) })));
  const there = olds.flatMap(({ ref, old }) => (old === undefined ? [] : [{ ref, remove: true as const, old }]));
  if (there.length > 0) await updateRefs(repository, [...fence, ...there], "landed");
}
