import {
  commitsBetween,
  commitTree,
  isAncestor,
  listPaths,
  mergeCommits,
  type Oid,
  type Repository,
  readBlob,
  type TreeDifference,
  treeDifferences,
  treeOf,
  updateRefs,
} from "../git/index.ts";
import { findingsOf } from "./check-merged.ts";
import { isText, markersLeft } from "./conflict-sides.ts";
import type { MergeContext } from "./context.ts";
import { resolvedTrailers } from "./message.ts";
import type { OpenConflict } from "./open-conflict.ts";

/** `findings`: what the proof of a merge says against it, a line each. */
export type AgentResolution = { kind: "accepted"; commit: Oid; findings: readonly string[] } | { kind: "refused"; why: string };

/**
 * Takes what a resolver agent left at the tip of the task's branch: a merge commit of the task's commit and the target's
 * with the agent's tree, which the branch then points to; the agent's own commit is kept at `keepTipAt`. Whether the
 * result is right is for QA to say; refused is what nobody can have meant. Repeatable: its own merge commit is accepted.
 */
export async function acceptResolution(
  context: Pick<MergeContext, "repository" | "run" | "person" | "fence" | "target">,
  conflict: OpenConflict,
  made: { task: string; branch: string; agent: string; tip: Oid; keepTipAt: string },
): Promise<AgentResolution> {
  const { repository, run, person, fence, target } = context;
  const { task, branch, agent, tip, keepTipAt } = made;
  const shape = await shapeOf(repository, conflict, tip);
  const why = shape === "other" ? "it made other commits than one on top of the task's" : await faultOf(repository, conflict, tip);
  if (why !== null) return { kind: "refused", why };
  const tree = await treeOf(repository, tip);
  const paths = conflict.files.map(({ path }) => path);
  const findings = await findingsOf(repository, { tip: conflict.onto, commit: conflict.commit, tree }, paths);
  if (shape === "merge") return { kind: "accepted", commit: tip, findings };
  const resolved = paths.map((path) => ({ path, rules: [`agent ${agent}`] }));
  const commit = await commitTree(repository, {
    tree,
    parents: [conflict.commit, conflict.onto],
    message: `Merge ${target} into ${branch}\n\nGraftwork-Task: ${task}\n${resolvedTrailers(resolved)}`,
    person,
  });
  const refused = await updateRefs(
    repository,
    [
      ...fence,
      { ref: keepTipAt, set: tip },
      { ref: `refs/graftwork/ready/${run}/${task}`, set: commit },
      { ref: `refs/heads/${branch}`, set: commit, old: tip },
    ],
    `resolve ${task}`,
  );
  return refused === undefined
    ? { kind: "accepted", commit, findings }
    : { kind: "refused", why: `its branch could not be moved: ${refused}` };
}

/** `merge`: the commit that this module makes of an accepted one. */
async function shapeOf(repository: Repository, { commit, onto }: OpenConflict, tip: Oid): Promise<"one" | "merge" | "other"> {
  if (!(await isAncestor(repository, commit, tip))) return "other";
  const [newest] = await mergeCommits(repository, commit, [tip]);
  if (newest?.merge === tip) return newest.parents.join(" ") === `${commit} ${onto}` ? "merge" : "other";
  const own = await commitsBetween(repository, [commit], tip);
  return newest === undefined && own.length === 1 ? "one" : "other";
}

async function faultOf(repository: Repository, conflict: OpenConflict, tip: Oid): Promise<string | null> {
  const changed = new Map((await treeDifferences(repository, conflict.tree, tip)).map((one) => [one.path, one]));
  const paths = conflict.files.map(({ path }) => path);
  const outside = [...changed.keys()].filter((path) => !paths.includes(path));
  if (outside.length > 0)
    return `it changed files that are not in conflict: ${outside.slice(0, 5).join(", ")}${outside.length > 5 ? ` and ${outside.length - 5} more` : ""}`;
  const laid = new Set(await listPaths(repository, conflict.tree, paths));
  for (const path of paths) {
    const change = changed.get(path);
    const fault = change === undefined ? (laid.has(path) ? "as the merge left it" : null) : await faultIn(repository, conflict, change);
    if (fault !== null) return `it left ${path} ${fault}`;
  }
  return null;
}

async function faultIn(repository: Repository, { stages }: OpenConflict, { path, to }: TreeDifference): Promise<string | null> {
  const sides = stages.filter((stage) => stage.path === path);
  if (to === null)
    return sides.some(({ stage }) => stage === 2) && sides.some(({ stage }) => stage === 3) ? "out, which both sides have" : null;
  if (!sides.some(({ mode }) => mode === to.mode)) return "as something else than the file it was";
  const bytes = await readBlob(repository, to.oid);
  if (!isText(bytes)) return "as something that is no text";
  return (await markersLeft(repository, sides, bytes)).length > 0 ? "with conflict markers" : null;
}
