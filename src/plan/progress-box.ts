import { cleanLine, type Decision, type Plan } from "../domain/index.ts";
import { type BoxStyle, drawBox } from "./draw-box.ts";
import { agentLabel, agentsOf, progressBar } from "./execution-mode-box.ts";

/** Where a task stands, as a box shows it. */
export type TaskProgress = {
  state: "pending" | "running" | "done" | "failed" | "skipped" | "waiting";
  /** Shown in brackets in place of the state's own words, e.g. `ready for qa`. */
  text?: string;
};

const STATES: Readonly<Record<TaskProgress["state"], { icon: string; ascii: string; text: string }>> = {
  pending: { icon: "⏳", ascii: "[ ]", text: "pending" },
  running: { icon: "⏳", ascii: "[~]", text: "in progress" },
  done: { icon: "✅", ascii: "[x]", text: "done" },
  failed: { icon: "❌", ascii: "[!]", text: "failed" },
  skipped: { icon: "⏭️", ascii: "[-]", text: "skipped" },
  waiting: { icon: "⚠️", ascii: "[?]", text: "waits for a person" },
};
/** More are not all shown: what is done and what has not begun give way first. */
const ROWS_MAX = 40;

export type ProgressBoxStyle = BoxStyle & { progressOf: (task: string) => TaskProgress };

/** The box shown after each agent that ends. */
export function progressBox(plan: Plan, decision: Decision, style: ProgressBoxStyle): string {
  const rows = agentsOf(plan, decision).map(({ number, task }) => ({ number, task, progress: style.progressOf(task.id) }));
  const count = (state: TaskProgress["state"]): number => rows.filter(({ progress }) => progress.state === state).length;
  const rest = (["failed", "skipped", "waiting"] as const).filter((state) => count(state) > 0).map((state) => `, ${count(state)} ${state}`);
  const shown = chosen(rows);
  const mark = style.unicode ? (decision.mode === "PARALLEL" ? "⚡ " : "⏸️ ") : "";
  return drawBox(
    [
      `${mark}Execution Mode: ${decision.mode}`,
      `   Progress: ${progressBar(count("done"), rows.length, style.unicode)} agents complete${rest.join("")}`,
      "",
      ...shown.map(({ number, task, progress }) => {
        const { icon, ascii, text } = STATES[progress.state];
        return `   ${style.unicode ? icon : ascii} Agent ${number}: ${agentLabel(task)} (${cleanLine(progress.text ?? text)})`;
      }),
      ...(rows.length > shown.length ? [`   and ${rows.length - shown.length} more`] : []),
    ],
    style,
  );
}

function chosen<T extends { progress: TaskProgress }>(rows: readonly T[]): readonly T[] {
  if (rows.length <= ROWS_MAX) return rows;
  const live = rows.filter(({ progress }) => progress.state !== "done" && progress.state !== "pending");
  return (live.length > 0 ? live : rows).slice(0, ROWS_MAX);
}
