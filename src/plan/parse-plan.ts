import * as v from "valibot";
import * as yaml from "yaml";
import { CHECK_KEYS, type Finding, type Plan, readYaml, schemaFinding, unknownKeys, type YamlText } from "../domain/index.ts";
import { type GraphTask, graphFindings } from "./graph-findings.ts";
import { planInvalid } from "./plan-error.ts";
import { checks, mapOf, oneOf, TASK_KEYS, taskSchema, text } from "./task-schema.ts";

const entries = {
  // For editors that complete JSON files; nothing reads it here.
  $schema: v.nullish(v.string()),
  version: v.nullish(v.literal(1, "must be 1, the version of plans that this program knows"), 1),
  name: v.nullish(text),
  base: v.nullish(text, null),
  protect: v.nullish(oneOf(["strict", "relaxed"]), "strict"),
  verification: v.nullish(checks, []),
  tasks: v.pipe(v.array(taskSchema), v.minLength(1, "has no tasks: a plan needs at least one")),
};
const PLAN_KEYS: readonly string[] = Object.keys(entries);
const planSchema = mapOf(entries);

/**
 * The plan of a YAML or JSON text. Throws PLAN_INVALID with everything that is wrong with it, each with line and
 * column. Sizes are bounded before the parser sees the text.
 */
export function parsePlan(planText: string, source: { path: string }): Plan {
  const read = readYaml(planText, yaml);
  if (read.value === undefined) throw planInvalid(source.path, read.findings);
  const result = v.safeParse(planSchema, read.value);
  const findings = [
    ...read.findings,
    ...keyFindings(read),
    ...(result.issues ?? []).map((issue) => schemaFinding(read, issue)),
    ...graphFindings(graphTasks(read.value)).map(({ path, message }) => read.finding(path, message)),
  ];
  if (!result.success || findings.length > 0) throw planInvalid(source.path, findings);
  const { name, base, protect, verification, tasks } = result.output;
  return { version: 1, name: name?.trim() ?? nameOf(source.path), base, protect, verification, tasks };
}

function keyFindings(read: YamlText): Finding[] {
  const root = read.value;
  const inTask = (task: unknown, i: number): Finding[] => [
    ...unknownKeys(read, task, TASK_KEYS, ["tasks", i]),
    ...checkKeyFindings(read, task, ["tasks", i]),
  ];
  return [...unknownKeys(read, root, PLAN_KEYS), ...checkKeyFindings(read, root, []), ...listAt(root, "tasks").flatMap(inTask)];
}

function checkKeyFindings(read: YamlText, holder: unknown, path: readonly (string | number)[]): Finding[] {
  return listAt(holder, "verification").flatMap((check, i) => unknownKeys(read, check, CHECK_KEYS, [...path, "verification", i]));
}

/** Ids and dependencies as far as they are text, so that a plan wrong elsewhere still has its graph checked. */
function graphTasks(root: unknown): GraphTask[] {
  const tasks: GraphTask[] = [];
  for (const [index, task] of listAt(root, "tasks").entries()) {
    const id = valueAt(task, "id");
    if (typeof id !== "string") continue;
    const one = valueAt(task, "depends_on");
    const list = typeof one === "string" ? [{ id: one, index: null }] : listAt(task, "depends_on").map((d, i) => ({ id: d, index: i }));
    tasks.push({ index, id, dependsOn: list.flatMap((d) => (typeof d.id === "string" ? [{ id: d.id, index: d.index }] : [])) });
  }
  return tasks;
}

function valueAt(holder: unknown, key: string): unknown {
  return typeof holder === "object" && holder !== null && Object.hasOwn(holder, key) ? (holder as Record<string, unknown>)[key] : undefined;
}

function listAt(holder: unknown, key: string): unknown[] {
  const value = valueAt(holder, key);
  return Array.isArray(value) ? value : [];
}

/** `docs/checkout.plan.yaml` is the plan `checkout`. */
function nameOf(path: string): string {
  const file = path.split(/[\\/]/).at(-1) ?? "";
  const name = file.replace(/\.(?:ya?ml|json)$/i, "").replace(/\.plan$/i, "");
  return name === "" ? "plan" : name;
}
