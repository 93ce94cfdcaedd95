import { type Oid, withQuarantine } from "../git/index.ts";
import type { Candidate } from "./candidate.ts";
import type { MergeContext } from "./context.ts";
import { mergeOrder, type Weight } from "./order.ts";
import { type Prediction, predictConflicts } from "./predict.ts";

/** Candidates as they are to be merged, and what that follows from; null: the prediction failed. */
export type Ordered = { order: Candidate[]; prediction: Prediction | null };

/**
 * Orders candidates, given in plan order, for a merge onto `base`. A prediction that fails is said and costs the
 * better order alone: work that is approved lands without it.
 */
export async function orderCandidates(
  { repository, target, narrate }: Pick<MergeContext, "repository" | "target" | "narrate">,
  base: Oid,
  candidates: readonly Candidate[],
): Promise<Ordered> {
  const tips = candidates.map(({ branch, commit }) => ({ name: branch, commit }));
  try {
    const prediction = await withQuarantine(repository, (inside) => predictConflicts(inside, { name: target, commit: base }, tips));
    return { order: mergeOrder(candidates, weightsOf(prediction, candidates)), prediction };
  } catch (error) {
    narrate(`conflicts could not be predicted, so that branches are merged in plan order: ${String(error)}`);
    return { order: mergeOrder(candidates), prediction: null };
  }
}

function weightsOf({ touched, conflicts }: Prediction, candidates: readonly Candidate[]): Map<string, Weight> {
  return new Map(
    candidates.map(({ task, branch }) => {
      const mine = conflicts.filter(({ between }) => between.includes(branch));
      return [task, { conflicts: mine.length, paths: touched.get(branch)?.paths.size ?? 0 }];
    }),
  );
}
