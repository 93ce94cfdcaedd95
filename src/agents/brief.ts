import { type Check, cleanLine, cleanText, commandText, tailLines } from "../domain/index.ts";
import { renderTemplate, type TemplateValues } from "./template.ts";

export type BriefInput = {
  /** The text of `templates/prompts/executor.md`, or of the user's own in its place. */
  template: string;
  task: { id: string; title: string; description: string };
  /** Counted from 1. */
  attempt: number;
  slotPath: string;
  branch: string;
  checks: readonly Check[];
  /** Globs the task expects to write; empty: not declared. */
  files: readonly string[];
  /** Tasks that run beside this one: the globs they declare, and the paths they have changed so far. */
  neighbours: readonly { id: string; title: string; files: readonly string[]; changing: readonly string[] }[];
  /** Paths that are likely to conflict with another task's work. */
  conflicts: readonly string[];
  /** What the attempt before came to; null for the first. */
  lastFailure: { reason: string; excerpt: string } | null;
  /** Files outside the task's own that the attempt before left uncommitted; absent: none. */
  leftOut?: readonly string[];
  /** A diff that shows what this task did before it conflicted; null: none. */
  hint: string | null;
};

const EXCERPT_LINES = 60;
const EXCERPT_CHARACTERS = 8_000;
const HINT_CHARACTERS = 40_000;
const NEIGHBOUR_PATHS = 20;
const LEFT_OUT_PATHS = 50;

/** Builds the prompt of an agent. Throws CONFIG_INVALID if the template is not usable. */
export function buildBrief(input: BriefInput): string {
  return briefText(input.template, valuesOf(input));
}

/** A filled template without the gaps that empty sections leave. */
export function briefText(template: string, values: TemplateValues): string {
  return `${renderTemplate(template, values)
    .replace(/\n{3,}/g, "\n\n")
    .replaceAll("\0", "")
    .trim()}\n`;
}

function valuesOf(input: BriefInput): TemplateValues {
  const excerpt = tailLines(cleanText(input.lastFailure?.excerpt ?? ""), EXCERPT_LINES).slice(-EXCERPT_CHARACTERS);
  return {
    task_id: input.task.id,
    title: cleanLine(input.task.title),
    description: cleanText(input.task.description).trim(),
    attempt: String(input.attempt),
    slot: input.slotPath,
    branch: input.branch,
    checks: checksText(input.checks),
    files: input.files.map((file) => ({ file })),
    neighbours: input.neighbours.map((one) => ({
      neighbour: one.id,
      neighbour_title: cleanLine(one.title),
      neighbour_files: `${one.files.length === 0 ? "files not declared" : one.files.join(", ")}${changingText(one.changing)}`,
    })),
    conflicts: input.conflicts.map((conflict) => ({ conflict: oneLine(conflict) })),
    failure: cleanLine(input.lastFailure?.reason ?? ""),
    left_out: (input.leftOut ?? []).slice(0, LEFT_OUT_PATHS).map((path) => ({ left_path: oneLine(path) })),
    excerpt: excerpt.trim() === "" ? "" : fenced(excerpt),
    hint: input.hint === null || input.hint.trim() === "" ? "" : fenced(cleanText(input.hint).slice(0, HINT_CHARACTERS), "diff"),
  };
}

/** Names that another agent gave to files: on one line, and not without end. */
function changingText(paths: readonly string[]): string {
  if (paths.length === 0) return "";
  const shown = paths.slice(0, NEIGHBOUR_PATHS).map((path) => `\`${oneLine(path)}\``);
  const rest = paths.length - shown.length;
  return `; changed by now: ${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** Words from outside (a path, a commit's subject) in which nothing can begin a line or end a code span. */
export function oneLine(text: string): string {
  return cleanLine(text).replaceAll("`", "'").slice(0, 200);
}

export function checksText(checks: readonly Check[]): { check: string; command: string }[] {
  return checks.map((check) => ({ check: check.name, command: commandText(check.run) }));
}

/** A fence longer than any inside: text from outside cannot end its block and speak as the brief. */
function fenced(text: string, language = ""): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}
