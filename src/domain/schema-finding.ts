import { type DocumentPath, didYouMean, type Finding, pathText, quoted } from "./finding.ts";
import type { YamlText } from "./yaml-read.ts";

/** What is read of an issue of the schema library. */
export type SchemaIssue = {
  kind: string;
  type: string;
  input: unknown;
  message: string;
  path?: readonly { key: unknown }[] | undefined;
};

const WANTED: Readonly<Record<string, string>> = {
  string: "text",
  array: "a list",
  object: "a map",
  boolean: "true or false",
  number: "a number",
};

/** A schema's complaint in the words of someone who edits the file, at its place. */
export function schemaFinding(text: YamlText, issue: SchemaIssue, below: DocumentPath = []): Finding {
  const path: DocumentPath = [...below, ...(issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)))];
  return text.finding(path, `${subject(path)} ${complaint(issue, text.written(path))}`);
}

/** Every key of `value` that is not among `known`, with the one that was probably meant. */
export function unknownKeys(text: YamlText, value: unknown, known: readonly string[], path: DocumentPath = []): Finding[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  return unknown.map((key) => text.finding([...path, key], `unknown key ${quoted(key)}${didYouMean(key, known)}`, "key"));
}

/** The path in full, but short within a task: which one it is, the line says. */
function subject(path: DocumentPath): string {
  const text = pathText(path[0] === "tasks" && path.length > 2 ? path.slice(2) : path);
  return text === "" ? "the document" : `\`${text}\``;
}

function complaint(issue: SchemaIssue, written: string | undefined): string {
  const wanted = issue.kind === "schema" ? WANTED[issue.type] : undefined;
  if (wanted === undefined) return issue.message;
  if (issue.input === undefined) return "is missing";
  const { input } = issue;
  if (wanted === "text" && (typeof input === "number" || typeof input === "boolean") && written !== undefined) {
    return `must be text: YAML reads ${written} as the ${typeof input} ${input}, so quote it: "${written}"`;
  }
  return `must be ${wanted}, not ${describeValue(issue.input)}`;
}

/** A value from outside, in words. */
export function describeValue(input: unknown): string {
  if (input === null) return "empty";
  if (typeof input === "string") return quoted(input);
  if (Array.isArray(input)) return "a list";
  if (typeof input === "number" || typeof input === "boolean") return `the ${typeof input} ${input}`;
  return typeof input === "object" ? "a map" : typeof input;
}
