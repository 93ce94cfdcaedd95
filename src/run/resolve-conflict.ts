import { buildResolverBrief } from "../agents/index.ts";
import type { ConflictWork } from "../dispatch/index.ts";
import type { Task } from "../domain/index.ts";
import { acceptResolution, collidingWith, openConflict, sidesOf } from "../merge/index.ts";
import type { RunFacts } from "../session/index.ts";
import type { EngineContext } from "./engine-context.ts";

export type ResolverJob = ({ kind: "work" } & ConflictWork) | { kind: "merges" } | { kind: "unfit"; why: string };

/** A task's conflict as work for an agent, on the target's commit `onto`. */
export async function resolverJob(context: EngineContext, facts: RunFacts, task: Task, commit: string, onto: string): Promise<ResolverJob> {
  const { repository, merging, record } = context;
  const conflict = await openConflict(repository, onto, commit, merging.resolving);
  if (conflict.kind !== "conflict") return conflict;
  const landed = [...facts.tasks.values()].flatMap((one) => one.landed ?? []);
  const others = await collidingWith(repository, conflict, [...landed, ...(facts.waiting?.tasks ?? [])]);
  const commits = await sidesOf(repository, conflict);
  return {
    kind: "work",
    commit,
    onto,
    tree: conflict.tree,
    paths: conflict.files.map(({ path }) => path),
    brief: ({ path, branch }) =>
      buildResolverBrief({
        template: context.templates.resolver,
        task,
        slotPath: path,
        branch,
        target: facts.target,
        files: conflict.files,
        others: record.plan.tasks.filter(({ id }) => others.includes(id)),
        commits,
        checks: context.checksFor(task),
      }),
    accept: (made) => acceptResolution({ ...merging, target: facts.target }, conflict, { task: task.id, ...made }),
  };
}
