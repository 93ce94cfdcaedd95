import type { Verdict } from "../domain/index.ts";
import { type Oid, updateRefs } from "../git/index.ts";
import type { Candidate } from "./candidate.ts";
import type { MergeContext } from "./context.ts";
import type { TrainConflict, TrainStep } from "./train.ts";
import { keptTrain } from "./verify-train.ts";

/** What one candidate came to: the verdict is on the commit that merging made of it, and names the candidate's own. */
export type Judged = { kind: "verdict"; verdict: Verdict; step: TrainStep } | { kind: "conflict"; conflict: TrainConflict };

/** Merges one candidate onto `base` and verifies what that makes: a train of one, which does not land. */
export async function verifyOne(
  context: MergeContext,
  { base, earlier }: { base: Oid; earlier: readonly string[] },
  candidate: Candidate,
): Promise<Judged> {
  return verifyTogether(context, { base, earlier, label: candidate.task }, [candidate]).then(({ verdict, steps, conflicts }) => {
    const [step, conflict] = [steps[0], conflicts[0]];
    if (step !== undefined && verdict !== null) return { kind: "verdict", verdict: { ...verdict, commit: candidate.commit }, step };
    if (conflict !== undefined) return { kind: "conflict", conflict };
    throw new Error(`${candidate.task} was neither merged nor in conflict`);
  });
}

/** Merges candidates onto `base` and verifies all of them as one tree. Without a step nothing is verified. */
export async function verifyTogether(
  context: MergeContext,
  { base, earlier, label }: { base: Oid; earlier: readonly string[]; label: string },
  candidates: readonly Candidate[],
): Promise<{ verdict: Verdict | null; steps: readonly TrainStep[]; conflicts: readonly TrainConflict[] }> {
  const { repository, run, fence } = context;
  const ref = `refs/graftwork/judged/${run}/${label}`;
  const { steps, conflicts, tip } = await keptTrain(context, { base, steps: [], tip: base, out: new Set() }, candidates, ref);
  if (steps.length === 0) return { verdict: null, steps, conflicts };
  try {
    const tasks = steps.map(({ task }) => task);
    const onProgress = (line: string): void => context.narrate(`  ${label}: ${line}`);
    const asked = { label, tasks, earlier, commit: tip, base, onProgress };
    const verdict = await context.verify(context.signal === undefined ? asked : { ...asked, signal: context.signal });
    return { verdict, steps, conflicts };
  } finally {
    await updateRefs(repository, [...fence, { ref, remove: true, old: tip }], "judged");
  }
}
