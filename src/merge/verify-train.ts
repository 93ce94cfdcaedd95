import { GraftworkError, type Verdict } from "../domain/index.ts";
import { isWhole, type Oid, updateRefs } from "../git/index.ts";
import type { Candidate } from "./candidate.ts";
import type { MergeContext } from "./context.ts";
import { ejectionRate, recordEjections } from "./ejection-record.ts";
import { buildTrain, type Train, type TrainStart, type TrainStep } from "./train.ts";
import { nextOfTrain, type TrainOdds, trainLength } from "./train-search.ts";

/** What may land: `tip` was verified, and holds `steps`. */
export type Verified = { tip: Oid; steps: readonly TrainStep[] };

/** Where a train begins: `base` is the target, or what waits for it, and holds these tasks of the run already. */
export type TrainBase = { target: Oid; base: Oid; earlier: readonly string[] };

/** How often a train is made again that a garbage collection took a part of. */
const BUILDS = 5;

export const trainRef = (run: string): string => `refs/graftwork/train/${run}`;

/**
 * Merges the candidates onto `base` and verifies as much of the train as tells what may land. The one that breaks it is
 * ejected with the log of the very tree that is red because of it. What depends on that one waits; the rest goes on.
 */
export async function verifyTrain(context: MergeContext, from: TrainBase, candidates: readonly Candidate[]): Promise<Verified> {
  const { base } = from;
  const accepted: TrainStep[] = [];
  const out = new Set<string>();
  let blockedBy: string | undefined;
  let tip = base;
  for (let left = candidates; left.length > 0; ) {
    const slots = left.some((one) => one.isExclusive === true) ? 1 : context.slots;
    const odds = { slots, ejection: ejectionRate(context.repository) };
    const ahead = left.slice(0, trainLength(odds));
    const train = await keptTrain(context, { base, steps: accepted, tip, out }, ahead);
    if (train.steps.length > 0) context.emit({ type: "train", base: tip, tip: train.tip, tasks: train.steps });
    const found = await search(context, { tip, accepted, earlier: from.earlier }, train.steps, odds);
    const good = train.steps.slice(0, found.good);
    sayConflicts(context, train, tip, good);
    accepted.push(...good);
    tip = good.at(-1)?.merge ?? tip;
    const culprit = train.steps[found.good];
    const isBlocked = found.verdict?.decision === "blocked";
    if (!isBlocked) recordEjections(context.repository, good.length, culprit === undefined ? 0 : 1);
    if (culprit !== undefined && found.verdict !== undefined) eject(context, culprit.task, accepted, found.verdict, from.target);
    // All ahead of the culprit are decided; who collided behind it may have collided with the culprit alone.
    const decided = culprit === undefined ? ahead : ahead.slice(0, ahead.findIndex((one) => one.task === culprit.task) + 1);
    const landing = new Set(good.map((step) => step.task));
    for (const one of decided) if (!landing.has(one.task)) out.add(one.task);
    left = left.slice(decided.length);
    // The same trouble twice in a row is everybody's.
    if (isBlocked && found.verdict !== undefined && blockedBy === found.verdict.reason && good.length === 0) {
      for (const { task } of left) if (!out.has(task)) eject(context, task, accepted, found.verdict, from.target);
      break;
    }
    blockedBy = isBlocked ? found.verdict?.reason : undefined;
  }
  return { tip, steps: accepted };
}

/** A collision is one only where all that the train had by then may land: with who is ejected nobody collides. */
function sayConflicts(context: MergeContext, train: Train, tip: Oid, good: readonly TrainStep[]): void {
  const sure = new Set([tip, ...good.map((step) => step.merge)]);
  for (const conflict of train.conflicts) if (sure.has(conflict.base)) context.emit({ type: "conflict", ...conflict });
}

/** How many of the steps may land; `verdict` is that of the first one that may not. */
type Found = { good: number; verdict: Verdict | undefined };

/** The commit that a train goes on from, what it holds of this landing, and of the run before. */
type Front = { tip: Oid; accepted: readonly TrainStep[]; earlier: readonly string[] };

/** Finds the first step whose tree is not approved. One that blocks is found like one that is red. */
async function search(context: MergeContext, front: Front, steps: readonly TrainStep[], odds: TrainOdds): Promise<Found> {
  const [green, red] = [new Set<number>(), new Set<number>()];
  const verdicts = new Map<number, Verdict>();
  for (;;) {
    const next = nextOfTrain({ size: steps.length, green, red }, odds);
    if (next.kind === "green") return { good: steps.length, verdict: undefined };
    if (next.kind === "culprit") return { good: next.after, verdict: verdicts.get(next.after + 1) };
    const judged = await Promise.all(
      next.prefixes.map(async (length) => [length, await judge(context, front, steps.slice(0, length))] as const),
    );
    for (const [length, verdict] of judged) {
      verdicts.set(length, verdict);
      (verdict.decision === "approved" ? green : red).add(length);
    }
  }
}

function eject(context: MergeContext, task: string, beside: readonly TrainStep[], verdict: Verdict, target: Oid): void {
  const others = beside.map((step) => step.task).join(", ");
  const excerpt = verdict.checks.find((check) => check.state === "failed")?.excerpt ?? "";
  const about = { type: "ejected", task, excerpt, base: target } as const;
  if (verdict.decision === "blocked") return context.emit({ ...about, reason: verdict.reason, blocked: true });
  const why = others === "" ? "it fails on the target as it is now" : `it passes alone and fails together with ${others}`;
  context.emit({ ...about, reason: `${why}: ${verdict.reason}` });
}

/** Judges a tree by every check of all that it holds, of this landing and of earlier ones. */
async function judge(context: MergeContext, { tip: base, accepted, earlier }: Front, steps: readonly TrainStep[]): Promise<Verdict> {
  const tasks = [...accepted, ...steps].map((step) => step.task);
  const tip = steps.at(-1)?.merge ?? base;
  const verdict = await context.verify({
    label: "train",
    tasks,
    earlier,
    commit: tip,
    base,
    onProgress: (line) => context.narrate(`  ${line}`),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  context.emit({ type: "train-verdict", tip, tasks: steps.map((step) => step.task), verdict });
  return verdict;
}

/**
 * A train that a ref keeps, whole. Until there is one, the user's garbage collection may take any part of it: then it
 * is made again (review-core rule 5).
 */
export async function keptTrain(
  context: MergeContext,
  start: TrainStart,
  candidates: readonly Candidate[],
  ref = trainRef(context.run),
): Promise<Train> {
  const held = [start.tip, ...candidates.map((one) => one.commit)];
  for (let tries = 1; ; tries++) {
    try {
      const train = await buildTrain(context, start, candidates);
      if (train.steps.length === 0) return train;
      await pin(context, ref, train.tip);
      if (await isWhole(context.repository, train.tip, held)) return train;
      if (tries === BUILDS) throw collected(train.tip);
    } catch (error) {
      if (tries === BUILDS || !(error instanceof GraftworkError && ["GIT_FAILED", "FENCED"].includes(error.code))) throw error;
    }
  }
}

function collected(tip: Oid): GraftworkError {
  return new GraftworkError("GIT_FAILED", {
    message: `The merged commit ${tip.slice(0, 12)} is not whole.`,
    because: "a garbage collection took a part of it each time, before a ref could keep it.",
    try: "wait for the `git gc` that runs there, and run the same command again.",
  });
}

/** The tip, and with it all before it, is kept by a ref while it is verified: the user's garbage collection may run at any moment. */
async function pin(context: MergeContext, ref: string, tip: Oid): Promise<void> {
  const refused = await updateRefs(context.repository, [...context.fence, { ref, set: tip }], "pin a train");
  if (refused !== undefined)
    throw new GraftworkError("FENCED", {
      message: "This process no longer owns the run, so it stops merging.",
      because: refused,
      try: "nothing: the run's present owner goes on.",
    });
}
