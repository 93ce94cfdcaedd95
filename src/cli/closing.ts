import { cleanLine, count, firstLine } from "../domain/index.ts";
import { progressBox, type TaskProgress } from "../plan/index.ts";
import { approvedTasks, mayLandNow, type SessionEnd } from "../run/index.ts";
import type { TaskFacts } from "../session/index.ts";
import { blockedText } from "./blocked-text.ts";
import { progressFor } from "./event-text.ts";
import type { Shell } from "./shell.ts";

/** The last lines of a session: what landed, what did not and why, what to do next, how to undo. */
export function closingText(end: SessionEnd, shell: Pick<Shell, "width" | "unicode">): string {
  const { facts, plan, decision, run } = end;
  const tasks = [...facts.tasks.values()];
  const landed = tasks.filter((task) => task.status === "done");
  const open = tasks.filter((task) => task.status !== "done");
  const progressOf = (id: string): TaskProgress => progressFor(facts.tasks.get(id)?.status ?? "pending");
  const box = progressBox(plan, decision, { progressOf, width: shell.width, unicode: shell.unicode });
  const lines = [
    box,
    `Merged: ${landed.length === 0 ? "none" : landed.map((task) => task.id).join(", ")}`,
    ...open.map((task) => `${label(task)}: ${task.id}${reason(task, missing(end, task))}`),
    ...(facts.waiting === null
      ? []
      : [
          `Waits for your checkout: ${cleanLine(facts.waiting.reason)}`,
          facts.waiting.command === null
            ? "  end what is under way there, then `graftwork continue`"
            : `  move or stash what is in the way, then \`graftwork continue\`; or by hand: ${facts.waiting.command}`,
        ]),
  ];
  if (facts.environment !== null)
    lines.push(`No agent can start: ${firstLine(facts.environment)}`, "  put it right, then `graftwork continue`; no attempt was used up");
  if (facts.landings.length > 0) lines.push(`Undo: graftwork merge --undo ${run}`);
  if (end.exit === 130) lines.push("Interrupted; nothing is lost. `graftwork continue` goes on.");
  else if (end.remainingGroups.length > 0 && facts.ended === null)
    lines.push(
      `Session complete. Run /auto-continue for next group. (${count(end.remainingGroups.length, "group")} left; \`graftwork continue\`)`,
    );
  return lines.join("\n");
}

function label(task: TaskFacts): string {
  if (task.status === "conflict") return "Needs a person";
  if (task.status === "qa_blocked") return "QA blocked";
  if (task.status === "failed") return "Failed";
  if (task.status === "skipped") return "Skipped";
  return task.status === "qa_approved" ? "Approved, not merged" : "Open";
}

/** What a task waits for before it can begin, or before it can land. */
function missing({ plan, facts }: SessionEnd, task: TaskFacts): readonly string[] {
  if (task.status !== "pending" && task.status !== "qa_approved") return [];
  const landing = task.status === "pending" ? [] : mayLandNow(facts, approvedTasks(facts));
  const needed = plan.tasks.find((one) => one.id === task.id)?.dependsOn ?? [];
  return needed.filter((id) => facts.tasks.get(id)?.status !== "done" && !landing.includes(id));
}

function reason(task: TaskFacts, waitsFor: readonly string[]): string {
  const first = waitsFor.length > 0 ? `waits for ${waitsFor.join(", ")}` : task.lastError === null ? undefined : firstLine(task.lastError);
  const branch = task.branch === null ? "" : ` (branch ${task.branch})`;
  const packet =
    task.packet === null || task.status !== "conflict" ? "" : `\n  packet: ${task.packet}/README.md; \`graftwork resolve ${task.id} …\``;
  const next =
    task.status === "qa_approved" && waitsFor.length === 0
      ? `\n  take it with: graftwork merge ${task.id}`
      : task.status === "failed"
        ? `\n  look: \`graftwork logs ${task.id}\`; once more: \`graftwork retry ${task.id}\`, then \`graftwork continue\``
        : blockedText(task)
            .map((line) => `\n  ${line}`)
            .join("");
  return `${first === undefined ? "" : `: ${first}`}${branch}${packet}${next}`;
}

/** The same as an object, for `--json`. */
export function sessionObject(end: SessionEnd): object {
  const tasks = [...end.facts.tasks.values()].map((task) => ({
    id: task.id,
    status: task.status,
    branch: task.branch,
    commit: task.commit,
    attempts: task.attempts,
    waits_for: missing(end, task),
    last_error: task.lastError,
    packet: task.packet,
    merge: task.landed?.merge ?? null,
    summary: task.summary,
  }));
  return {
    run: end.run,
    exit: end.exit,
    target: end.facts.target,
    tasks,
    landings: end.facts.landings.map(({ from, to }) => ({ from, to })),
    waiting: end.facts.waiting,
    environment: end.facts.environment,
    remaining_groups: end.remainingGroups,
    warnings: end.facts.warnings,
    undo: end.facts.landings.length === 0 ? null : `graftwork merge --undo ${end.run}`,
  };
}
