import { EXIT, type ExitCode, worstExit } from "../domain/index.ts";
import type { RunFacts } from "../session/index.ts";
import { continueRun } from "./continue-run.ts";
import type { FailedBranch } from "./merge-by-hand.ts";
import { landableOf } from "./next-jobs.ts";
import { listRuns, type RunSummary } from "./run-folder.ts";
import type { RunHost } from "./run-session.ts";

/** What became of approved tasks that were to land. */
export type Landed = { merged: string[]; failed: FailedBranch[]; exit: ExitCode };

/** The newest run with approved work that has not landed; undefined if there is none. */
export function runToLand(repository: RunHost["repository"]): RunSummary | undefined {
  return listRuns(repository).find(({ facts }) => !facts.undone && approvedTasks(facts).length > 0);
}

/** Approved tasks of a run that have not landed. */
export function approvedTasks(facts: RunFacts): string[] {
  return [...facts.tasks.values()].flatMap(({ id, status }) => (status === "qa_approved" || status === "merging" ? [id] : []));
}

/** Those of `ids` that may land now, together. */
export function mayLandNow(facts: RunFacts, ids: readonly string[]): string[] {
  return landableOf({ ...facts, landOnly: null }, new Set(ids));
}

/** Lands approved tasks of a run, and nothing else of it, by the road that the run itself goes. Throws what `continueRun` throws. */
export async function landApproved(host: RunHost, found: RunSummary, ids: readonly string[]): Promise<Landed> {
  // A landing that waited may have nothing in its way now.
  const waiting = found.facts.waiting?.tasks.map(({ task }) => task).filter((task) => ids.includes(task)) ?? [];
  const landable = [...mayLandNow(found.facts, ids), ...waiting];
  const facts = landable.length === 0 ? found.facts : (await land(host, found, landable)).facts;
  const done = ids.filter((id) => facts.tasks.get(id)?.status === "done");
  const failed = ids.filter((id) => !done.includes(id)).map((id) => failureOf(facts, id));
  return {
    merged: done.map((id) => facts.tasks.get(id)?.landed?.branch ?? id),
    failed: failed.map(({ branch }) => branch),
    exit: worstExit(failed.map(({ exit }) => exit)),
  };
}

function land(host: RunHost, found: RunSummary, ids: readonly string[]): ReturnType<typeof continueRun> {
  return continueRun(host, { run: found.run, mode: null, plan: null, replan: false, takeOver: false, land: ids });
}

/** Why a task has not landed. */
function failureOf(facts: RunFacts, id: string): { branch: FailedBranch; exit: ExitCode } {
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
    const next = `\`graftwork merge ${[...waitsFor, id].join(" ")}\``;
    return {
      branch: { ...about, reason: `it depends on ${waitsFor.join(", ")}, which is not merged`, waitsFor, next },
      exit: EXIT.refused,
    };
  }
  const reason = task?.lastError?.split("\n")[0] ?? `it is ${task?.status ?? "unknown"}`;
  const exit = task?.status === "conflict" || task?.status === "qa_blocked" ? EXIT.person : EXIT.refused;
  return { branch: { ...about, reason, next: "`graftwork status` shows it; `graftwork continue` goes on" }, exit };
}
