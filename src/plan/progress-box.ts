import type { Decision, Plan } from "../domain/index.ts";
import { type BoxStyle, drawBox, oneLine } from "./draw-box.ts";
import { agentLabel, agentsOf, progressBar } from "./execution-mode-box.ts";

/** Where the tasks stand, by id, in the words of the progress file; one without an entry is pending. */
export type Progress = { statuses: ReadonlyMap<string, string> };

type Look = { icon: string; ascii: string; text?: string };

const LOOKS: Readonly<Record<string, Look>> = {
  pending: { icon: "⏳", ascii: "[ ]" },
  done: { icon: "✅", ascii: "[x]" },
  failed: { icon: "❌", ascii: "[!]" },
  skipped: { icon: "⏭️", ascii: "[-]" },
  conflict: { icon: "⚠️", ascii: "[?]", text: "conflict, needs a person" },
  qa_blocked: { icon: "⚠️", ascii: "[?]", text: "qa blocked, needs a person" },
};
const RUNNING: Look = { icon: "⏳", ascii: "[~]" };
/** Said behind the count of what is complete. */
const NOT_COMPLETE = ["failed", "skipped", "conflict", "qa_blocked"];
/** More are not all shown: what is done and what has not begun give way first. */
const ROWS_MAX = 40;

/** The box shown after each agent that ends. */
export function progressBox(plan: Plan, decision: Decision, progress: Progress, style: BoxStyle): string {
  const rows = agentsOf(plan, decision).map(({ number, task }) => ({ number, task, status: progress.statuses.get(task.id) ?? "pending" }));
  const count = (status: string): number => rows.filter((row) => row.status === status).length;
  const rest = NOT_COMPLETE.filter((status) => count(status) > 0).map((status) => `, ${count(status)} ${words(status)}`);
  const shown = chosen(rows);
  const mark = style.unicode ? (decision.mode === "PARALLEL" ? "⚡ " : "⏸️ ") : "";
  return drawBox(
    [
      `${mark}Execution Mode: ${decision.mode}`,
      `   Progress: ${progressBar(count("done"), rows.length, style.unicode)} agents complete${rest.join("")}`,
      "",
      ...shown.map(({ number, task, status }) => {
        const look = (Object.hasOwn(LOOKS, status) ? LOOKS[status] : undefined) ?? RUNNING;
        return `   ${style.unicode ? look.icon : look.ascii} Agent ${number}: ${agentLabel(task)} (${look.text ?? words(status)})`;
      }),
      ...(rows.length > shown.length ? [`   and ${rows.length - shown.length} more`] : []),
    ],
    style,
  );
}

function words(status: string): string {
  return oneLine(status.replaceAll("_", " "));
}

function chosen<T extends { status: string }>(rows: readonly T[]): readonly T[] {
  if (rows.length <= ROWS_MAX) return rows;
  const live = rows.filter(({ status }) => status !== "done" && status !== "pending");
  return (live.length > 0 ? live : rows).slice(0, ROWS_MAX);
}
