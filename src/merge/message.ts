import { cleanLine, type ResolvedFile } from "../domain/index.ts";

/** The message of a task's merge commit: its title, then trailers that name task, commit, run and what rules resolved in it. */
export function mergeMessage(
  task: { task: string; title: string; branch: string; commit: string; run: string; strategy: "merge" | "squash" },
  resolved: readonly ResolvedFile[] = [],
): string {
  const title = cleanLine(task.title);
  const subject = task.strategy === "squash" ? title : `Merge ${task.branch}: ${title}`;
  return `${subject.length > 100 ? `${subject.slice(0, 99)}…` : subject}\n\nGraftwork-Task: ${task.task}\nGraftwork-Commit: ${task.commit}\nGraftwork-Run: ${task.run}\n${resolvedTrailers(resolved)}`;
}

/** A line for each file, with what resolved it. A path with a line break in it must not make a trailer of its own. */
export function resolvedTrailers(resolved: readonly ResolvedFile[]): string {
  return resolved
    .map(({ path, rules }) => `Graftwork-Resolved: ${/^[ -~]+$/.test(path) ? path : JSON.stringify(path)} (${rules.join(", ")})\n`)
    .join("");
}
