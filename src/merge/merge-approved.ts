import { GraftworkError, type LandedTask } from "../domain/index.ts";
import { type Oid, readRef, settleDeadLandings, updateRefs } from "../git/index.ts";
import type { MergeContext } from "./context.ts";
import { type LandResult, land, mergedRef } from "./land.ts";
import type { Candidate, TrainStep } from "./train.ts";
import { trainRef, verifyTrain } from "./verify-train.ts";

/** How often a train is built again because the target moved while it was verified. */
const MOVES = 5;

type Waiting = { from: Oid; to: Oid; tasks: readonly LandedTask[] } | null;

export type MergeResult = { landed: readonly string[]; result: LandResult | { kind: "nothing" } | { kind: "blocked"; reason: string } };

/**
 * Turns approved candidates, given in an order that respects their dependencies, into commits of the target: what the
 * target moves to was verified as the very tree it is. `waiting` is where an earlier landing of this run waits: the train goes on from there.
 */
export async function mergeApproved(context: MergeContext, candidates: readonly Candidate[], waiting: Waiting): Promise<MergeResult> {
  // Of a coordinator that was killed and has no journal to be continued from.
  await settleDeadLandings(context.repository, `refs/heads/${context.target}`);
  const end = await landTrain(context, candidates, waiting);
  // What waits is held by a ref of its own, and a red train by nothing: it is built anew.
  await unpin(context, end.result.kind === "landed" ? [trainRef(context.run), mergedRef(context.run)] : [trainRef(context.run)]);
  return end;
}

async function landTrain(context: MergeContext, candidates: readonly Candidate[], waiting: Waiting): Promise<MergeResult> {
  let left = candidates;
  for (let moves = 0; moves < MOVES; moves++) {
    const target = await readRef(context.repository, `refs/heads/${context.target}`);
    if (target === undefined) throw targetGone(context.target);
    // A user may have taken the waiting commit by the named command.
    const queued = waiting !== null && target === waiting.from ? waiting : null;
    const base = queued?.to ?? target;
    const train = await verifyTrain(context, base, left);
    if (train.kind === "blocked") return { landed: [], result: { kind: "blocked", reason: train.reason } };
    const steps: LandedTask[] = [...(queued?.tasks ?? []), ...train.steps.map(landedTask)];
    if (train.steps.length === 0) return { landed: [], result: { kind: "nothing" } };
    const result = await land(context, { from: target, to: train.tip, tasks: steps });
    if (result.kind !== "moved") return { landed: result.kind === "landed" ? steps.map((step) => step.task) : [], result };
    // Who was sent back is not offered again: that would count a second time against its limits.
    left = left.filter((one) => train.steps.some((step) => step.task === one.task));
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

function targetGone(target: string): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", {
    message: `The target branch ${target} is gone.`,
    because: "somebody deleted or renamed it.",
    try: `make it again (\`git branch ${target} COMMIT\`) and \`graftwork continue\`.`,
  });
}
