import {
  firstParentOf,
  isAncestor,
  madeOn,
  type Oid,
  type Repository,
  type Standing,
  squashedCommits,
  standingInParts,
  standingOfMerged,
} from "../git/index.ts";
import { handLandings } from "./hand-landings.ts";
import { listRuns } from "./run-folder.ts";

/** A branch's work, and the target branch that it may be in. */
export type Taken = { work: { base: Oid; tip: Oid }; target: string; at: Oid };

/**
 * Returns the commit by which a person took work off the target, whole or in part. If the target still reaches the work
 * (`isThere`), only the whole counts: the person kept the rest.
 */
export async function takenOffBy(repository: Repository, { work, target, at }: Taken, isThere: boolean): Promise<Oid | undefined> {
  const standing = isThere
    ? await standingOfMerged(repository, work, at, undefined)
    : await standingInParts(repository, work, at, await madeOn(repository, target));
  return isThere || standing.kind !== "off" ? allTakenOffBy(repository, standing) : byPerson(repository, standing.by);
}

/** Returns the commit by which a person took all of a work off. */
export async function allTakenOffBy(repository: Repository, standing: Standing): Promise<Oid | undefined> {
  return standing.kind === "off" && standing.whole ? byPerson(repository, standing.by) : undefined;
}

/** Returns `by` if a person made it. A landing takes nothing off: tasks may move or rewrite what others made. */
async function byPerson(repository: Repository, by: Oid): Promise<Oid | undefined> {
  const says = await squashedCommits(repository, [await firstParentOf(repository, by)], [by]);
  if (says.length === 0) return by;
  // An amended landing keeps its message.
  const landings = [...listRuns(repository).flatMap(({ facts }) => facts.landings), ...handLandings(repository)];
  for (const { from, to } of landings)
    if ((await isAncestor(repository, by, to)) && !(await isAncestor(repository, by, from))) return undefined;
  return by;
}
