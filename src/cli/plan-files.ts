import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { GraftworkError, type Plan, systemCode } from "../domain/index.ts";
import { parsePlan, planFromSubtasks, planFromTasksJson, planFromTitles } from "../plan/index.ts";
import { readBytes } from "../state/index.ts";
import type { Shell } from "./shell.ts";

const LARGEST_BYTES = 16 * 1024 * 1024;

/** The plan that a command line means, and the file it came from. Throws PLAN_UNREADABLE, PLAN_INVALID, USAGE. */
export async function readPlanFrom(
  shell: Shell,
  path: string | undefined,
  titles: readonly string[],
): Promise<{ plan: Plan; source: string | null }> {
  if (titles.length > 0 && path === undefined) return { plan: planFromTitles(titles), source: null };
  if (path !== undefined && titles.length === 0) {
    const source = resolve(shell.cwd, path);
    return { plan: await readPlanAt(shell, source, true), source };
  }
  throw new GraftworkError("USAGE", {
    message: path === undefined ? "There is no plan to run." : "A plan and --task were both given.",
    because: "a run has either a plan file or tasks named on the command line.",
    try: '`graftwork run plan.yaml`, or `graftwork run --task "fix login"`.',
  });
}

/** Reads the plan at an absolute path. A plan that is gone since is no error where `must` is not set. */
export async function readPlanAt(shell: Shell, source: string, must: true): Promise<Plan>;
export async function readPlanAt(shell: Shell, source: string, must?: boolean): Promise<Plan | null>;
export async function readPlanAt(shell: Shell, source: string, must = false): Promise<Plan | null> {
  if (!existsSync(source)) {
    if (!must) return null;
    throw unreadable(source, "there is no such file");
  }
  const shown = relative(shell.cwd, source) || source;
  try {
    if (statSync(source).isDirectory()) return planFromFolder(source, shown);
    if (statSync(source).size > LARGEST_BYTES) throw unreadable(source, "it is larger than 16 MiB");
    const text = (readBytes(source) ?? Buffer.alloc(0)).toString("utf8");
    return text.trimStart().startsWith("[{")
      ? planFromTasksJson(text, basename(source).replace(/\.\w+$/, ""))
      : parsePlan(text, { path: shown });
  } catch (error) {
    if (error instanceof GraftworkError) throw error;
    throw unreadable(source, systemCode(error) ?? String(error));
  }
}

function planFromFolder(folder: string, shown: string): Plan {
  const names = readdirSync(folder)
    .filter((name) => /^subtask-.*\.md$/.test(name))
    .sort();
  if (names.length === 0) throw unreadable(folder, "it holds no subtask-*.md");
  const files = names.map((name) => ({
    path: join(shown, name),
    text: (readBytes(join(folder, name)) ?? Buffer.alloc(0)).toString("utf8"),
  }));
  return planFromSubtasks(files, basename(dirname(folder)) || "subtasks");
}

function unreadable(source: string, why: string): GraftworkError {
  return new GraftworkError("PLAN_UNREADABLE", {
    message: `The plan ${source} cannot be read.`,
    because: `${why}.`,
    try: "name a plan file (YAML or JSON) or a folder of subtask-*.md.",
  });
}
