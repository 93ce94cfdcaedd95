import { firstLine, type Plan, type Task } from "../domain/index.ts";
import { planInvalid } from "./plan-error.ts";

const SLUG_MAX = 48;

/** The plan of `run --task "fix login" --task "…"`: one task a title, independent of each other. */
export function planFromTitles(titles: readonly string[]): Plan {
  const empty = titles.findIndex((title) => title.trim() === "");
  if (titles.length === 0 || empty !== -1)
    throw planInvalid("--task", [{ line: 1, column: 1, path: "", message: "a task needs a few words that say what is to be done" }]);
  const ids = new Set<string>();
  const tasks = titles.map((title, i) => taskOf(uniqueId(slug(title) || `task-${i + 1}`, ids), title.trim()));
  return {
    version: 1,
    name: tasks.length === 1 ? (tasks[0]?.id ?? "task") : "tasks",
    base: null,
    protect: "strict",
    verification: [],
    tasks,
  };
}

/** A task of which only these words are known. */
export function taskOf(id: string, description: string, more: Partial<Task> = {}): Task {
  const line = firstLine(description.trim());
  const title = line.length > 80 ? `${line.slice(0, 79).trimEnd()}…` : line;
  const rest = {
    files: [],
    dependsOn: [],
    workType: null,
    contention: "FREE",
    resources: [],
    agent: null,
    verification: [],
    timeoutMs: null,
    retries: null,
  } as const;
  return { id, title: title === "" ? id : title, description, ...rest, ...more };
}

/** `Fix the login (again)` as `fix-the-login-again`; empty where a title has no Latin letter or digit. */
function slug(title: string): string {
  const plain = title
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase();
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, SLUG_MAX)
    .replace(/-+$/, "");
}

function uniqueId(wanted: string, taken: Set<string>): string {
  let id = wanted;
  for (let n = 2; taken.has(id); n++) id = `${wanted}-${n}`;
  taken.add(id);
  return id;
}
