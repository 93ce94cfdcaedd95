import { type DocumentPath, type Finding, pathText, quoted } from "./finding.ts";
import { cleanText } from "./text.ts";
import { gateYaml, YAML_LIMITS } from "./yaml-gate.ts";

/** What is used of the package `yaml`. It is handed in, so that the caller decides when it is loaded. */
export type YamlPackage = {
  Lexer: new () => { lex(text: string): Iterable<string> };
  Parser: new () => { next(lexeme: string): Iterable<unknown>; end(): Iterable<unknown>; stack: readonly unknown[] };
  Composer: new (options: typeof OPTIONS) => { compose(tokens: Iterable<never>, forceDoc: true, end: number): Iterable<YamlDocument> };
};
type YamlDocument = {
  contents: unknown;
  range: readonly number[];
  errors: readonly { message: string; pos: readonly [number, number] }[];
  toJS(options: { maxAliasCount: number }): unknown;
};

/** Duplicate keys are found below: the package compares each key with each other, for ever in a large map. */
const OPTIONS = { version: "1.2", schema: "core", merge: false, prettyErrors: false, stringKeys: true, uniqueKeys: false } as const;
const ALIASES_MAX = 100;
const MESSAGE_MAX = 300;
/** The parser's own stack has entries besides collections; what the gate lets through stays far below. */
const STACK_MAX = 4 * YAML_LIMITS.depth;

/** A document as plain values, and a way back from a value to its place in the text. */
export type YamlText = {
  value: unknown;
  /** What is wrong with the text itself. */
  findings: readonly Finding[];
  /** A finding about the value at `path`, or about its key. */
  finding(path: DocumentPath, message: string, about?: "value" | "key"): Finding;
  /** A scalar as written (`007`), where the value at `path` is one without quotes. */
  written(path: DocumentPath): string | undefined;
};

/** Reads YAML (JSON is YAML) from outside. Never throws for what the text holds, and never ends the process. */
export function readYaml(text: string, yaml: YamlPackage): YamlText {
  const refused = gateYaml(text);
  if (refused !== null) return broken(text, [refused]);
  const findings: Finding[] = [];
  const position = positions(text);
  const note: Note = (offset, message) => void findings.push({ ...position(offset), path: "", message: short(message) });
  const twice: Finding[] = [];
  let document: YamlDocument | undefined;
  let value: unknown;
  try {
    for (const next of new yaml.Composer(OPTIONS).compose(watched(text, yaml), true, text.length)) {
      if (document !== undefined) note(next.range[0] ?? 0, "a second document begins here: only one is read");
      document ??= next;
    }
    if (document === undefined) return broken(text, findings);
    for (const { message, pos } of document.errors) note(pos[0], message);
    const walked: Walk = {
      anchors: new Map(),
      aliases: 0,
      note,
      duplicate: (offset, message) => void twice.push({ ...position(offset), path: "", message }),
    };
    if (findings.length === 0) walk(document.contents, walked);
    if (findings.length === 0) value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    note(0, `not readable as YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const root = document?.contents;
  return {
    value,
    findings: [...findings, ...twice],
    finding: (path, message, about = "value") => ({ ...position(offsetOf(root, path, about)), path: pathText(path), message }),
    written: (path) => {
      const node = descend(root, path).node;
      return isRecord(node) && node["type"] === "PLAIN" && typeof node["source"] === "string" ? node["source"] : undefined;
    },
  };
}

/** The parser repeats what it dislikes, however long. */
function short(message: string): string {
  return cleanText(message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)}…` : message);
}

function broken(text: string, findings: readonly Finding[]): YamlText {
  const position = positions(text);
  return {
    value: undefined,
    findings,
    finding: (path, message) => ({ ...position(0), path: pathText(path), message }),
    written: () => undefined,
  };
}

/** The parser's tokens; ends with an error where broken text nests more deeply than the gate could see. */
function* watched(text: string, yaml: YamlPackage): Generator<never> {
  const parser = new yaml.Parser();
  for (const lexeme of new yaml.Lexer().lex(text)) {
    yield* parser.next(lexeme) as Iterable<never>;
    if (parser.stack.length > STACK_MAX) throw new Error("nested too deeply");
  }
  yield* parser.end() as Iterable<never>;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const keyOf = (pair: unknown): string => (isRecord(pair) && isRecord(pair["key"]) ? String(pair["key"]["value"]) : "");
const startOf = (node: unknown): number | undefined =>
  isRecord(node) && Array.isArray(node["range"]) ? Number(node["range"][0]) : undefined;

type Note = (offset: number, message: string) => void;
type Walk = { anchors: Map<string, unknown>; aliases: number; note: Note; duplicate: Note };

/** Finds keys given twice, and aliases that are too many or lead nowhere. Depth is bounded by the gate. */
function walk(node: unknown, seen: Walk): void {
  if (!isRecord(node)) return;
  if (typeof node["anchor"] === "string") seen.anchors.set(node["anchor"], node);
  if (!("value" in node) && !("items" in node) && typeof node["source"] === "string") {
    if (++seen.aliases === ALIASES_MAX + 1) seen.note(startOf(node) ?? 0, `more than ${ALIASES_MAX} aliases (\`*name\`)`);
    if (!seen.anchors.has(node["source"])) seen.note(startOf(node) ?? 0, `the alias \`*${node["source"]}\` has no anchor before it`);
    // A path through an alias goes on in what it stands for.
    node["target"] = seen.anchors.get(node["source"]);
    return;
  }
  const keys = new Set<string>();
  for (const item of Array.isArray(node["items"]) ? node["items"] : []) {
    const isPair = isRecord(item) && "key" in item;
    if (isPair && keys.has(keyOf(item))) seen.duplicate(startOf(item["key"]) ?? 0, `the key ${quoted(keyOf(item))} stands here twice`);
    if (isPair) keys.add(keyOf(item));
    walk(isPair ? item["value"] : item, seen);
  }
}

/** The node at `path`, or as near to it as the text goes; `key` is the key of the last map passed through. */
function descend(root: unknown, path: DocumentPath): { node: unknown; key: unknown } {
  let node = root;
  let key: unknown;
  for (const part of path) {
    const parent: unknown = isRecord(node) && "target" in node ? node["target"] : node;
    const items: unknown[] = isRecord(parent) && Array.isArray(parent["items"]) ? parent["items"] : [];
    const item = typeof part === "number" ? items[part] : items.find((pair) => keyOf(pair) === part);
    if (item === undefined) break;
    const isPair = typeof part === "string" && isRecord(item);
    key = isPair ? item["key"] : undefined;
    node = isPair ? (item["value"] ?? item["key"]) : item;
  }
  return { node, key };
}

function offsetOf(root: unknown, path: DocumentPath, about: "value" | "key"): number {
  const { node, key } = descend(root, path);
  return (about === "key" ? startOf(key) : undefined) ?? startOf(node) ?? startOf(key) ?? 0;
}

/** From offsets to lines and columns, counted from 1. */
function positions(text: string): (offset: number) => { line: number; column: number } {
  let starts: number[] | undefined;
  return (offset) => {
    if (starts === undefined) {
      starts = [0];
      for (let nl = text.indexOf("\n"); nl !== -1; nl = text.indexOf("\n", nl + 1)) starts.push(nl + 1);
    }
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
