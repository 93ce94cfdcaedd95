import type { Candidate, MergeContext } from "../merge/index.ts";
import type { RunFacts } from "../session/index.ts";
import { resourcesOf } from "./next-jobs.ts";

/** Returns each task whose work was landed, with the commit that brought it. The target may have lost it since. */
export function deliveredBy({ tasks, landings }: RunFacts): NonNullable<MergeContext["delivered"]> {
  return landings.flatMap(({ tasks: landed }) =>
    landed.flatMap(({ task, branchTip, merge }) => {
      const base = tasks.get(task)?.base ?? null;
      return base === null ? [] : [{ task, base, branchTip, merge }];
    }),
  );
}

/** Returns the tasks that have a commit to merge, in plan order. */
export function candidatesOf(facts: RunFacts, ids: readonly string[]): Candidate[] {
  return facts.plan.tasks
    .filter(({ id }) => ids.includes(id))
    .flatMap((task): Candidate[] => {
      const { commit = null, branch = null, base = null, decided = null } = facts.tasks.get(task.id) ?? {};
      if (commit === null || branch === null) return [];
      const { id, title, dependsOn } = task;
      const isExclusive = resourcesOf(task).length > 0;
      return [
        {
          task: id,
          title,
          branch,
          commit,
          dependsOn,
          isExclusive,
          ...(base !== null && { base }),
          ...(decided !== null && { decided }),
        },
      ];
    });
}
