import { cleanLine, type Decision, type Plan, type Task } from "../domain/index.ts";
import { independentGroups, largestOf } from "./decide.ts";
import { displayWidth } from "./display-width.ts";
import { type BoxStyle, drawBox, wrapList } from "./draw-box.ts";

/** Longer plans are shown in part: the whole is in the plan file. */
const ROWS_MAX = 60;
const ORDER_LINES_MAX = 6;
const BAR_CELLS = 16;

export type ModeBoxStyle = BoxStyle & {
  /** The slot of a task where it is known; before a run agents and worktrees are numbered alike. */
  slotsOf?: (task: string) => string | null;
};

/** The box that says how a plan will be run, shown before anything is made. */
export function executionModeBox(plan: Plan, decision: Decision, style: ModeBoxStyle): string {
  const warning = style.unicode ? "⚠️" : "!";
  const lines = decision.mode === "PARALLEL" ? parallelLines(plan, decision, style) : sequentialLines(plan, decision, style);
  const warnings = decision.warnings.flatMap((text) => {
    const wrapped = wrapList(
      text.split(" "),
      " ",
      Math.max(10, Math.min(style.width, 100) - 12),
      ORDER_LINES_MAX,
      style.unicode ? "…" : "...",
    );
    return ["", ...wrapped.map((line, i) => (i === 0 ? `   ${warning} ${line}` : `${" ".repeat(displayWidth(warning) + 4)}${line}`))];
  });
  return drawBox([...lines, ...warnings], style);
}

/** `[████░░░░░░░░░░░░] 2/8`: full only when all is done. */
export function progressBar(done: number, total: number, unicode: boolean): string {
  const cells = total === 0 ? 0 : Math.floor((BAR_CELLS * done) / total);
  const [full, empty] = unicode ? ["█", "░"] : ["#", "."];
  return `[${full.repeat(cells)}${empty.repeat(BAR_CELLS - cells)}] ${done}/${total}`;
}

/** What stands for a task in a box: the files it declares, else its title. */
export function agentLabel(task: Task): string {
  return cleanLine(task.files.length > 0 ? task.files.join(", ") : task.title);
}

/** The tasks in the order of the groups, each with its number as an agent, counted from 1 over the whole plan. */
export function agentsOf(plan: Plan, decision: Decision): { number: number; group: number; task: Task }[] {
  const byId = new Map(plan.tasks.map((task) => [task.id, task]));
  const tasks = decision.groups.flatMap((group) => group.tasks.flatMap((id) => ({ group: group.number, task: byId.get(id) })));
  return tasks.flatMap(({ group, task }, i) => (task === undefined ? [] : { number: i + 1, group, task }));
}

function parallelLines(plan: Plan, decision: Decision, style: ModeBoxStyle): string[] {
  const largest = largestOf(independentGroups(plan));
  const inAll = plan.tasks.length > largest ? ` (${plan.tasks.length} tasks in all)` : "";
  const limited = largest > decision.agents ? " (limited by max_agents config)" : "";
  return [
    `${style.unicode ? "⚡ " : ""}Execution Mode: PARALLEL`,
    `   Tasks: ${largest} independent files detected${inAll}`,
    `   Agents: ${decision.agents}${limited}`,
    "",
    ...groupLines(plan, decision, style),
    `   Progress: ${progressBar(0, plan.tasks.length, style.unicode)} agents complete`,
  ];
}

function groupLines(plan: Plan, decision: Decision, style: ModeBoxStyle): string[] {
  const [branch, last] = style.unicode ? ["├──", "└──"] : ["|--", "`--"];
  const agents = agentsOf(plan, decision);
  const shown = agents.slice(0, ROWS_MAX);
  const lines: string[] = [];
  for (const [i, { number, group, task }] of shown.entries()) {
    if (shown[i - 1]?.group !== group) {
      if (i > 0) lines.push("");
      lines.push(`   Parallel Group ${group}${group > 1 ? ` (after Group ${group - 1})` : ""}:`);
    }
    const mark = agents[i + 1]?.group === group ? branch : last;
    lines.push(`     ${mark} Agent ${number}: [${style.slotsOf?.(task.id) ?? `worktree-${number}`}] ${agentLabel(task)}`);
  }
  if (agents.length > shown.length) lines.push("", `   and ${agents.length - shown.length} more tasks in ${decision.groups.length} groups`);
  return [...lines, ""];
}

function sequentialLines(plan: Plan, decision: Decision, style: ModeBoxStyle): string[] {
  const labels = agentsOf(plan, decision).map(({ task }) => agentLabel(task));
  const [arrow, cut] = style.unicode ? [" → ", "…"] : [" -> ", "..."];
  const order = wrapList(labels, arrow, Math.max(10, Math.min(style.width, 100) - 14), ORDER_LINES_MAX, cut);
  const isOff = decision.reason.startsWith("parallelization.enabled");
  return [
    `${style.unicode ? "⏸️ " : ""}Execution Mode: SEQUENTIAL`,
    `   Reason: ${decision.reason}`,
    ...order.map((line, i) => `   ${i === 0 ? "Order: " : "       "}${line}`),
    "",
    `   Skipping parallel orchestration (${isOff ? "switched off" : "threshold not met"})`,
  ];
}
