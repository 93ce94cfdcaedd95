import { GraftworkError, type LandedTask, type Verdict } from "../domain/index.ts";
import { type Oid, readRef, updateRefs } from "../git/index.ts";
import type { MergeContext } from "./context.ts";
import { type LandResult, land, mergedRef } from "./land.ts";
import { addToTrain, buildTrain, type Candidate, type TrainStep } from "./train.ts";

/** How often a train is built again because the target moved while it was verified. */
const MOVES = 5;

export type MergeResult = { landed: readonly string[]; result: LandResult | { kind: "nothing" } | { kind: "blocked"; reason: string } };

/**
 * Turns approved candidates, given in an order that respects their dependencies, into commits of the target: the
 * whole train is verified at its tip; where that is red, one after another, each verified, and who breaks it is
 * ejected. `waiting` is where an earlier landing of this run waits: the train goes on from there.
 */
export async function mergeApproved(
  context: MergeContext,
  candidates: readonly Candidate[],
  waiting: { from: Oid; to: Oid; tasks: readonly LandedTask[] } | null,
): Promise<MergeResult> {
  let left = candidates;
  for (let moves = 0; moves < MOVES; moves++) {
    const target = await readRef(context.repository, `refs/heads/${context.target}`);
    if (target === undefined) throw targetGone(context.target);
    // A user may have taken the waiting commit by the named command.
    const queued = waiting !== null && target === waiting.from ? waiting : null;
    const base = queued?.to ?? target;
    const train = await verifiedTrain(context, base, left);
    if (train.kind === "blocked") return { landed: [], result: { kind: "blocked", reason: train.reason } };
    const steps: LandedTask[] = [
      ...(queued?.tasks ?? []),
      ...train.steps.map(({ task, branch, branchTip, merge }) => ({ task, branch, branchTip, merge })),
    ];
    if (train.steps.length === 0) return { landed: [], result: { kind: "nothing" } };
    const result = await land(context, { from: target, to: train.tip, tasks: steps });
    if (result.kind !== "moved") {
      if (result.kind === "landed") await unpin(context);
      return { landed: result.kind === "landed" ? steps.map((step) => step.task) : [], result };
    }
    // Who was sent back is not offered again: that would count a second time against its limits.
    left = left.filter((one) => train.steps.some((step) => step.task === one.task));
    context.narrate(`${context.target} moved while the merge was verified: merging and verifying again`);
  }
  return { landed: [], result: { kind: "moved", at: await readRef(context.repository, `refs/heads/${context.target}`) } };
}

type Verified = { kind: "train"; tip: Oid; steps: readonly TrainStep[] } | { kind: "blocked"; reason: string };

async function verifiedTrain(context: MergeContext, base: Oid, candidates: readonly Candidate[]): Promise<Verified> {
  const { repository, run, person } = context;
  const train = await buildTrain(repository, run, person, base, candidates);
  for (const conflict of train.conflicts) context.emit({ type: "conflict", ...conflict });
  if (train.steps.length === 0) return { kind: "train", tip: base, steps: [] };
  await pin(context, train.tip);
  context.emit({ type: "train", base, tip: train.tip, tasks: train.steps });
  const verdict = await judge(
    context,
    base,
    train.tip,
    train.steps.map((step) => step.task),
  );
  if (verdict.decision === "approved") return { kind: "train", tip: train.tip, steps: train.steps };
  if (verdict.decision === "blocked") return { kind: "blocked", reason: verdict.reason };
  const order = candidates.filter((one) => train.steps.some((step) => step.task === one.task));
  return oneByOne(context, base, order);
}

/** After a red train: each branch on top of what was accepted so far, verified before the next. */
async function oneByOne(context: MergeContext, base: Oid, candidates: readonly Candidate[]): Promise<Verified> {
  const { repository, run, person } = context;
  const accepted: TrainStep[] = [];
  const out = new Set<string>();
  let tip = base;
  for (const candidate of candidates) {
    if (candidate.dependsOn.some((id) => out.has(id))) {
      out.add(candidate.task);
      continue;
    }
    const added = await addToTrain(repository, run, person, tip, candidate);
    if (added.kind === "conflict") {
      out.add(candidate.task);
      context.emit({
        type: "conflict",
        task: candidate.task,
        commit: candidate.commit,
        base: tip,
        paths: added.paths,
        against: accepted.map((step) => step.task),
      });
      continue;
    }
    await pin(context, added.step.merge);
    const verdict = await judge(context, tip, added.step.merge, [candidate.task]);
    if (verdict.decision === "blocked")
      return accepted.length === 0 ? { kind: "blocked", reason: verdict.reason } : { kind: "train", tip, steps: accepted };
    if (verdict.decision === "approved") {
      accepted.push(added.step);
      tip = added.step.merge;
      continue;
    }
    out.add(candidate.task);
    const beside = accepted.map((step) => step.task);
    const reason = `${beside.length === 0 ? "it fails on the target as it is now" : `it passes alone and fails together with ${beside.join(", ")}`}: ${verdict.reason}`;
    context.emit({
      type: "ejected",
      task: candidate.task,
      reason,
      excerpt: verdict.checks.find((check) => check.state === "failed")?.excerpt ?? "",
    });
  }
  return { kind: "train", tip, steps: accepted };
}

async function judge(context: MergeContext, base: Oid, tip: Oid, tasks: readonly string[]): Promise<Verdict> {
  const verification = await context.verify({
    label: "train",
    tasks,
    commit: tip,
    base,
    onProgress: (line) => context.narrate(`  ${line}`),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  if (verification.decision === "conflict") {
    throw new GraftworkError("INTERNAL", {
      message: "A merged commit conflicts with its own base.",
      because: `${tip} was built on ${base}.`,
      try: "report this; nothing was landed.",
    });
  }
  context.emit({ type: "train-verdict", tip, tasks, verdict: verification });
  return verification;
}

/** The tip is kept by a ref while it is verified: the user's garbage collection may run at any moment. */
async function pin(context: MergeContext, tip: Oid): Promise<void> {
  const refused = await updateRefs(context.repository, [...context.fence, { ref: trainRef(context.run), set: tip }], "pin a train");
  if (refused !== undefined)
    throw new GraftworkError("FENCED", {
      message: "This process no longer owns the run, so it stops merging.",
      because: refused,
      try: "nothing: the run's present owner goes on.",
    });
}

async function unpin(context: MergeContext): Promise<void> {
  const refs = [trainRef(context.run), mergedRef(context.run)];
  for (const ref of refs) {
    const old = await readRef(context.repository, ref);
    if (old !== undefined) await updateRefs(context.repository, [...context.fence, { ref, remove: true, old }], "landed");
  }
}

const trainRef = (run: string): string => `refs/graftwork/train/${run}`;

function targetGone(target: string): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", {
    message: `The target branch ${target} is gone.`,
    because: "somebody deleted or renamed it.",
    try: `make it again (\`git branch ${target} COMMIT\`) and \`graftwork continue\`.`,
  });
}
