import * as v from "valibot";
import * as yaml from "yaml";
import {
  type Finding,
  type Plan,
  readYaml,
  type SchemaIssue,
  schemaFinding,
  type Task,
  unknownKeys,
  type YamlText,
} from "../domain/index.ts";
import { type GraphTask, graphFindings } from "./graph-findings.ts";
import { planInvalid } from "./plan-error.ts";
import { taskOf } from "./plan-from-titles.ts";
import { idText, oneOf, TASK_KEYS, taskSchema, text } from "./task-schema.ts";

/** A file's text with the path that messages name. */
export type NamedText = { path: string; text: string };
type Read = { file: string; read: YamlText; task: Task };

const FRONT_KEYS = ["id", "goal", "depends_on", "files", "agent"];
const FRONT_MATTER = /^\ufeff?---[ \t]*\r?\n([\s\S]*?)(?:\r?\n)?^---[ \t]*\r?$/m;

/** The plan of a folder of `subtask-*.md`: front matter says what a task is, the body is its brief. */
export function planFromSubtasks(files: readonly NamedText[], name: string): Plan {
  if (files.length === 0) throw planInvalid(name, [{ line: 1, column: 1, path: "", message: "there is no `subtask-*.md` in the folder" }]);
  const byPath = new Intl.Collator("en", { numeric: true });
  const findings: Finding[] = [];
  const reads: Read[] = [];
  for (const file of [...files].sort((a, b) => byPath.compare(a.path, b.path))) readSubtask(file, findings, reads);
  const graph = reads.map<GraphTask>(({ task }, index) => ({
    index,
    id: task.id,
    dependsOn: task.dependsOn.map((id, i) => ({ id, index: i })),
  }));
  for (const { path, message } of graphFindings(graph)) {
    const at = reads[Number(path[1])];
    if (at !== undefined) findings.push({ ...at.read.finding(path.slice(2), message), file: at.file });
  }
  if (findings.length > 0) throw planInvalid(name, findings);
  return planOf(
    name,
    reads.map(({ task }) => task),
  );
}

function readSubtask(file: NamedText, findings: Finding[], reads: Read[]): void {
  const match = FRONT_MATTER.exec(file.text);
  if (match === null || match.index !== 0) {
    findings.push({
      file: file.path,
      line: 1,
      column: 1,
      path: "",
      message: "begins without front matter: `---`, the keys id, goal, depends_on, files, agent, and `---`",
    });
    return;
  }
  // An empty first line in place of `---` keeps the line numbers of the file.
  const read = readYaml(`\n${match[1] ?? ""}\n`, yaml);
  findings.push(...[...read.findings, ...unknownKeys(read, read.value, FRONT_KEYS)].map((f) => ({ ...f, file: file.path })));
  if (read.value === undefined) return;
  const front =
    typeof read.value === "object" && read.value !== null && !Array.isArray(read.value) ? (read.value as Record<string, unknown>) : {};
  const body = file.text.slice(match[0].length).trim();
  const raw = {
    ...pick(front, TASK_KEYS),
    id: front["id"] ?? idOf(file.path),
    title: front["goal"],
    description: body === "" ? null : body,
  };
  const result = v.safeParse(taskSchema, raw);
  if (result.success) reads.push({ file: file.path, read, task: result.output });
  else findings.push(...result.issues.map((issue) => ({ ...schemaFinding(read, inFront(issue)), file: file.path })));
}

/** What a task calls its title, front matter calls its goal. */
function inFront(issue: SchemaIssue): SchemaIssue {
  const path = issue.path?.map(({ key }) => ({ key: key === "title" ? "goal" : key }));
  return { kind: issue.kind, type: issue.type, input: issue.input, message: issue.message, path };
}

function pick(from: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(from, key)).map((key) => [key, from[key]]));
}

/** `docs/tasks/subtask-login.md` is the task `login`. */
function idOf(path: string): string {
  return (path.split(/[\\/]/).at(-1) ?? "").replace(/\.md$/i, "").replace(/^subtask-/, "");
}

const rowKeys = ["task_id", "brief", "contention_class"];
const rowSchema = v.object({ task_id: idText, brief: text, contention_class: v.nullish(oneOf(["FREE", "EXCLUSIVE"]), "EXCLUSIVE") });
const rowsSchema = v.pipe(v.array(rowSchema), v.minLength(1, "has no tasks: a batch needs at least one"));

/** The plan of the ledger's tasks: `[{task_id, brief, contention_class?}]`. In doubt a task is EXCLUSIVE there. */
export function planFromTasksJson(tasksJson: string, name: string): Plan {
  const read = readYaml(tasksJson, yaml);
  if (read.value === undefined) throw planInvalid(name, read.findings);
  const rows: unknown[] = Array.isArray(read.value) ? read.value : [];
  const findings = [...read.findings, ...rows.flatMap((row, i) => unknownKeys(read, row, rowKeys, [i]))];
  const result = v.safeParse(rowsSchema, read.value);
  if (!result.success) throw planInvalid(name, [...findings, ...result.issues.map((issue) => schemaFinding(read, issue))]);
  const tasks = result.output.map((row) => taskOf(row.task_id, row.brief, { contention: row.contention_class }));
  const graph = tasks.map((task, index) => ({ index, id: task.id, dependsOn: [] }));
  findings.push(...graphFindings(graph).map(({ path, message }) => read.finding([...path.slice(1, 2), "task_id"], message)));
  if (findings.length > 0) throw planInvalid(name, findings);
  return planOf(name, tasks);
}

function planOf(name: string, tasks: readonly Task[]): Plan {
  return { version: 1, name, base: null, protect: "strict", verification: [], tasks };
}
