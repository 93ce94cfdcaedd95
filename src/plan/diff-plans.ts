import { humanDuration, type Plan, quoted, type Task } from "../domain/index.ts";
import { canonical } from "./plan-digest.ts";

/** Keys of a plan file for fields whose value is worth showing. */
const TASK_FIELDS = {
  title: "title",
  files: "files",
  dependsOn: "depends_on",
  workType: "work_type",
  contention: "contention",
  resources: "resources",
  agent: "agent",
  verification: "verification",
  timeoutMs: "timeout",
  retries: "retries",
  description: "description",
} as const satisfies Partial<Record<keyof Task, string>>;

/** What changed from one plan to another, a line each; empty where they say the same. */
export function diffPlans(before: Plan, after: Plan): string[] {
  const lines: string[] = [];
  for (const key of ["name", "base", "protect", "verification"] as const) lines.push(...change(key, before[key], after[key]));
  const old = new Map(before.tasks.map((task) => [task.id, task]));
  const now = new Map(after.tasks.map((task) => [task.id, task]));
  for (const task of before.tasks) if (!now.has(task.id)) lines.push(`${task.id}: removed`);
  for (const task of after.tasks) {
    const was = old.get(task.id);
    if (was === undefined) lines.push(`${task.id}: added`);
    else
      for (const [field, key] of Object.entries(TASK_FIELDS))
        lines.push(...change(`${task.id}: ${key}`, was[field as keyof Task], task[field as keyof Task]));
  }
  const kept = (plan: Plan, other: ReadonlyMap<string, Task>): string =>
    JSON.stringify(plan.tasks.map((task) => task.id).filter((id) => other.has(id)));
  if (kept(before, now) !== kept(after, old)) lines.push("the order of the tasks changed");
  return lines;
}

function change(what: string, before: unknown, after: unknown): string[] {
  if (canonical(before) === canonical(after)) return [];
  const [from, to] = [show(what, before), show(what, after)];
  return [from === undefined || to === undefined || from === to ? `${what} changed` : `${what} changed from ${from} to ${to}`];
}

/** A value for people, or undefined where it is too long to be shown. */
function show(what: string, value: unknown): string | undefined {
  if (value === null) return "none";
  if (what.endsWith(": timeout") && typeof value === "number") return humanDuration(value);
  if (typeof value === "string") return value.length > 60 || what.endsWith(": description") ? undefined : quoted(value);
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items = value.map((item: unknown) =>
    typeof item === "object" && item !== null && "name" in item ? String(item.name) : String(item),
  );
  const text = items.length === 0 ? "none" : items.map((item) => item.replace(/\s+/g, " ")).join(", ");
  return text.length > 80 ? undefined : text;
}
