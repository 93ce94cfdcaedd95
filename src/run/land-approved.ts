import { EXIT, type ExitCode, type Plan, worstExit } from "../domain/index.ts";
import { existingStore } from "../pool/index.ts";
import type { RunFacts } from "../session/index.ts";
import { liveRun } from "../state/index.ts";
import { continueRun, inLineWithTarget } from "./continue-run.ts";
import type { ByHandResult, FailedBranch } from "./merge-by-hand.ts";
import { landableOf } from "./next-jobs.ts";
import { listRuns, type RunSummary } from "./run-folder.ts";
import type { RunHost } from "./run-session.ts";

/** Returns the newest run that has approved work to land, or the newest run of all if no run has such work. */
function runToLand(repository: RunHost["repository"]): RunSummary | undefined {
  const runs = listRuns(repository).filter(({ facts }) => !facts.undone);
  return runs.find(({ facts }) => approvedTasks(facts).length > 0) ?? runs[0];
}

/** Approved tasks of a run that have not landed. */
export function approvedTasks(facts: RunFacts): string[] {
  return [...facts.tasks.values()].flatMap(({ id, status }) => (status === "qa_approved" || status === "merging" ? [id] : []));
}

/** Those of `ids` that may land now, together. */
export function mayLandNow(facts: RunFacts, ids: readonly string[]): string[] {
  return landableOf({ ...facts, landOnly: null }, new Set(ids));
}

/**
 * What to merge. `ofRun`: tasks of a run, or null if no task of a run is to land. `byHand`: names of slots, empty for all
 * busy slots, or null if no slot is to be merged.
 */
export type ToMerge = { ofRun: { found: RunSummary; ids: string[] } | null; byHand: string[] | null };

/** Tells which of the names are tasks of a run and which are slots. No name means all approved tasks and all busy slots. */
export function whatToMerge(
  repository: RunHost["repository"],
  only: readonly string[],
  { into, plan }: { into: string | null; plan: Plan | null },
): ToMerge {
  const found = plan === null ? runToLand(repository) : undefined;
  const isOurs = found !== undefined && (into === null || into === found.facts.target);
  const approved = isOurs && liveRun(repository) === null ? approvedTasks(found.facts) : [];
  const slots = existingStore(repository)
    .read()
    .state.slots.filter(({ status }) => status === "busy");
  const busy = new Set(slots.flatMap(({ id, lease }) => (lease === null ? [id] : [id, lease.task])));
  // A task in no slot can only be the run's: the answer says where it is.
  const isOfRun = (name: string): boolean => approved.includes(name) || (isOurs && found.facts.tasks.has(name) && !busy.has(name));
  const ids = only.length === 0 ? approved : only.filter(isOfRun);
  const others = only.filter((name) => !ids.includes(name));
  const isByHand = others.length > 0 || (only.length === 0 && (ids.length === 0 || busy.size > 0));
  return { ofRun: found === undefined || ids.length === 0 ? null : { found, ids }, byHand: isByHand ? others : null };
}

/**
 * Lands those of a run's tasks that are approved, and nothing else of it, by the road that the run itself goes; says of
 * the others where they are. Throws what `continueRun` throws.
 */
export async function landApproved(host: RunHost, found: RunSummary, ids: readonly string[]): Promise<ByHandResult> {
  // A landing that waited may have nothing in its way now.
  const waiting = found.facts.waiting?.tasks.map(({ task }) => task).filter((task) => ids.includes(task)) ?? [];
  const landable = [...mayLandNow(found.facts, ids), ...waiting];
  const { facts } = landable.length === 0 ? await inLineWithTarget(host.repository, found) : await land(host, found, landable);
  const done = ids.filter((id) => facts.tasks.get(id)?.status === "done");
  const failed = ids.filter((id) => !done.includes(id)).map((id) => failureOf(facts, id));
  const branches = (wasDone: boolean): string[] =>
    done.filter((id) => (found.facts.tasks.get(id)?.status === "done") === wasDone).map((id) => facts.tasks.get(id)?.landed?.branch ?? id);
  return {
    merged: branches(false),
    already: branches(true),
    failed: failed.map(({ branch }) => branch),
    exit: worstExit(failed.map(({ exit }) => exit)),
  };
}

function land(host: RunHost, found: RunSummary, ids: readonly string[]): ReturnType<typeof continueRun> {
  return continueRun(host, { run: found.run, mode: null, plan: null, replan: false, takeOver: false, land: ids });
}

/** Why a task has not landed, and how to go on. */
export function failureOf(facts: RunFacts, id: string): { branch: FailedBranch; exit: ExitCode } {
  const task = facts.tasks.get(id);
  const about = { branch: task?.branch ?? id, run: null, next: null, excerpt: null, log: null, waitsFor: [] };
  if (facts.waiting?.tasks.some((one) => one.task === id) === true) {
    const { reason, command } = facts.waiting;
    const next = `\`graftwork continue\` once nothing is in its way${command === null ? "" : `, or ${command}`}`;
    return { branch: { ...about, reason, next }, exit: EXIT.person };
  }
  const needed = facts.plan.tasks.find((one) => one.id === id)?.dependsOn ?? [];
  const waitsFor = needed.filter((other) => facts.tasks.get(other)?.status !== "done");
  if (waitsFor.length > 0) {
    const isOffered = [...waitsFor, id].every((one) => approvedTasks(facts).includes(one));
    const next = isOffered ? `\`graftwork merge ${[...waitsFor, id].join(" ")}\`` : nextFor(facts, waitsFor[0] ?? id);
    return {
      branch: { ...about, reason: `it depends on ${waitsFor.join(", ")}, which is not merged`, waitsFor, next },
      exit: EXIT.refused,
    };
  }
  const reason = task?.lastError?.split("\n")[0] ?? `it is ${task?.status ?? "unknown"}`;
  const exit = task?.status === "conflict" || task?.status === "qa_blocked" ? EXIT.person : EXIT.refused;
  return { branch: { ...about, reason, next: nextFor(facts, id) }, exit };
}

/** What a person does for a task that has not landed. */
function nextFor(facts: RunFacts, id: string): string {
  const task = facts.tasks.get(id);
  if (task?.status === "conflict")
    return task.packet === null
      ? "`graftwork continue` writes down what is to be decided"
      : `\`graftwork resolve ${id}\` shows what is to be decided${task.personFor === "decision" ? `; \`graftwork resolve ${id} --done\` lets it in, then \`graftwork continue\`` : ""}`;
  if (task?.status === "skipped" && task.skippedFor !== null) return nextFor(facts, task.skippedFor);
  if (task?.status === "failed" || task?.status === "skipped") return `\`graftwork retry ${id}\`, then \`graftwork continue\``;
  return "`graftwork continue` goes on with it";
}
