import { EXIT, GraftworkError, type RunEvent } from "../domain/index.ts";
import { commitsOnTop, commitTime, firstParentLog, isAncestor, type Oid, type Repository, readRef } from "../git/index.ts";
import { forgetResolutions, type UndoneBranches, undoLandings } from "../merge/index.ts";
import { inRun } from "./continue-run.ts";
import { forgetHandLanding, type HandLanding, handLandings } from "./hand-landings.ts";
import { listRuns, type RunSummary } from "./run-folder.ts";

type RunLandings = RunSummary["facts"]["landings"];

/** What can be taken back as one: the landings of a run, or a merge by hand. `before` and `after`: the target's commits. */
export type Undoable = { target: string; before: Oid; after: Oid } & (
  | { kind: "run"; found: RunSummary; landings: RunLandings }
  | { kind: "hand"; landing: HandLanding }
);

export type Undone = UndoneBranches & { run: string | null; target: string; from: Oid; to: Oid; wasOpen: boolean };

/** The landings of a run as one, without those that the target had lost when the next one landed. Throws UNDO_REFUSED if there are none. */
export async function undoableRun(repository: Repository, found: RunSummary): Promise<Undoable> {
  const { facts, run } = found;
  const landings = await landingsThere(repository, facts.landings);
  const [first, last] = [landings[0], landings.at(-1)];
  if (first === undefined || last === undefined || facts.undone)
    throw new GraftworkError("UNDO_REFUSED", {
      message: `Run ${run} has nothing to undo.`,
      because: facts.undone ? "it was undone already." : "nothing of it has landed.",
      try: "`graftwork runs`.",
    });
  return { kind: "run", found, landings, target: facts.target, before: first.from, after: last.to };
}

/** The landings after the last one that somebody took off the target before the next. */
async function landingsThere(repository: Repository, landings: RunLandings): Promise<RunLandings> {
  let from = 0;
  for (const [n, { to }] of landings.entries()) {
    const next = landings[n + 1];
    if (next !== undefined && !(await isAncestor(repository, to, next.from))) from = n + 1;
  }
  return landings.slice(from);
}

/** The newest landing on any target, by a run or by hand. Throws UNDO_REFUSED if there is none. */
export async function newestLanding(repository: Repository): Promise<Undoable> {
  const landed = listRuns(repository).filter(({ facts }) => facts.landings.length > 0 && !facts.undone);
  const runs = await Promise.all(landed.map((found) => undoableRun(repository, found)));
  const hands = handLandings(repository)
    .toReversed()
    .map((landing): Undoable => ({ kind: "hand", landing, target: landing.target, before: landing.from, after: landing.to }));
  const ranked = await Promise.all([...runs, ...hands].map(async (one) => ({ one, above: await distance(repository, one) })));
  const there = ranked.flatMap(({ one, above }) => (above === undefined ? [] : [{ one, above }]));
  // On one target the nearest is the newest. Equally near ones are in the order of their listing: the newest first.
  const nearest = there
    .toSorted((a, b) => a.above - b.above)
    .filter(({ one }, n, all) => all.findIndex((other) => other.one.target === one.target) === n);
  // No distance compares two targets: what was merged last is the newest, and what is no longer there comes after it.
  const dated = await Promise.all(nearest.map(async (near) => ({ ...near, at: await commitTime(repository, near.one.after) })));
  const isThere = ({ above }: { above: number }): number => Number(above < Number.MAX_SAFE_INTEGER);
  const [newest] = dated.toSorted((a, b) => isThere(b) - isThere(a) || b.at - a.at);
  if (newest !== undefined) return newest.one;
  throw new GraftworkError("UNDO_REFUSED", {
    message: "There is nothing to undo.",
    because: "no landing of a run or of a merge by hand is in its target.",
    try: "`graftwork runs`.",
  });
}

/** How many commits stand on top of a landing; undefined if the target does not hold it. */
async function distance(repository: Repository, { target, after, before }: Undoable): Promise<number | undefined> {
  const at = await readRef(repository, `refs/heads/${target}`);
  if (at === after) return 0;
  // A target that is gone is said; one that is back already has an undo that was cut off.
  if (at === undefined || at === before) return Number.MAX_SAFE_INTEGER;
  return (await isAncestor(repository, after, at)) ? (await commitsOnTop(repository, after, at)).length : undefined;
}

/** Puts the target back to where it was before a run, or a merge by hand. Throws UNDO_REFUSED; then nothing has changed. */
export async function undo(repository: Repository, one: Undoable, now: () => Date): Promise<Undone> {
  const { target, before, after } = one;
  await requireOnTop(repository, one);
  const moved = { repository, target, after, before };
  if (one.kind === "hand") {
    const { taken } = await undoLandings({ ...moved, branches: [], fence: [], emit: () => undefined });
    forgetResolutions(repository, [after]);
    forgetHandLanding(repository, one.landing);
    return { run: null, target, from: after, to: before, taken, wasOpen: false };
  }
  const { found } = one;
  const branches = found.lines.flatMap(({ event }) =>
    event.type === "branch-deleted" ? [{ branch: event.branch, commit: event.commit }] : [],
  );
  const { taken } = await inRun(
    { repository },
    found.record,
    async (ownership, _journal, _facts, emit) => {
      const say = (event: RunEvent): void => void emit(event);
      const undone = await undoLandings({ ...moved, branches, fence: ownership.fence, emit: say });
      forgetResolutions(
        repository,
        found.facts.landings.map(({ to }) => to),
      );
      // Going on with it would build on what was just taken back.
      say({ type: "run-ended", exit: found.ended ?? EXIT.ok });
      return undone;
    },
    now,
  );
  return { run: found.run, target, from: after, to: before, taken, wasOpen: found.ended === null };
}

/** Refuses, by name, if commits stand on top of what is to be undone or between its landings. */
async function requireOnTop(repository: Repository, one: Undoable): Promise<void> {
  const { target, before, after } = one;
  const landings = one.kind === "run" ? one.landings : [one.landing];
  const gap = landings.findIndex((landing, n) => n > 0 && landing.from !== landings[n - 1]?.to);
  const at = await readRef(repository, `refs/heads/${target}`);
  const [low, high] = gap > 0 ? [landings[gap - 1]?.to, landings[gap]?.from] : [after, at];
  if (low === undefined || high === undefined || low === high || (gap <= 0 && high === before)) return;
  const isOn = await isAncestor(repository, low, high);
  const inWay = isOn
    ? (await firstParentLog(repository, low, high, 10)).map(({ commit, subject }) => `${commit.slice(0, 12)} ${subject}`)
    : [];
  const run = isOn
    ? listRuns(repository).find(({ facts }) => !facts.undone && facts.landings.some(({ to }) => to === high))?.run
    : undefined;
  throw new GraftworkError("UNDO_REFUSED", {
    message: `${target} was not put back: going back would take away what is not this landing's.`,
    because: isOn
      ? `these commits are in its way:\n  ${inWay.join("\n  ")}`
      : `it is at ${high.slice(0, 12)}, which does not hold ${low.slice(0, 12)}.`,
    try: run === undefined ? revertText(one) : `\`graftwork merge --undo ${run}\` first.`,
    details: { commits: inWay, run },
  });
}

/** The command that takes the landing's work back by commits of its own. */
function revertText(one: Undoable): string {
  const merges = one.kind === "run" ? one.landings.flatMap(({ tasks }) => tasks.map(({ merge }) => merge)).toReversed() : [];
  if (merges.length === 0)
    return `\`git log --first-parent ${one.before.slice(0, 12)}..${one.after.slice(0, 12)}\` lists its commits; \`git revert -m 1 COMMIT\` takes one back.`;
  return `\`git revert -m 1 ${merges.map((merge) => merge.slice(0, 12)).join(" ")}\` on ${one.target}.`;
}
