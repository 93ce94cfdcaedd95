/** One import that binds names: `import a, { b as c } from "x"` or `const { b: c } = require("x")`. */
export type ImportStatement = {
  /** What it starts with (`import`, `import type`, `const`, …) and where it imports from: one statement per such pair. */
  opening: string;
  source: string;
  /** A default import, a namespace (`* as x`), or the one name a `require` is bound to; "" where there is none. */
  whole: string;
  /** The names in braces as they are written, by the name they bind. */
  names: ReadonlyMap<string, string>;
  text: string;
};

const STATEMENT =
  /(import(?:\s+type)?\b|(?:export\s+)?(?:const|let|var)\b)\s*([^'"();=]*?)\s*(?:\bfrom\s*(['"])([^'"\n]+)\3|=\s*require\(\s*(['"])([^'"\n]+)\5\s*\))[ \t]*;?[ \t]*(?:\r?\n|$)/y;
const CLAUSE = /^(?:([\w$]+|\*\s*as\s+[\w$]+)\s*,?\s*)?(?:\{([^{}]*)\})?$/;
const NAME = /^(?:type\s+)?(?:[\w$]+\s+as\s+|[\w$]+\s*:\s*)?([\w$]+)$/;

/** The statements that a text consists of; undefined where anything else is in it, a bare `import "x"` for instance. */
export function importStatements(text: string): ImportStatement[] | undefined {
  const statements: ImportStatement[] = [];
  const matcher = new RegExp(STATEMENT);
  while (matcher.lastIndex < text.length) {
    const from = matcher.lastIndex;
    const found = matcher.exec(text);
    const clause = CLAUSE.exec(found?.[2] ?? ":");
    if (found === null || clause === null) return undefined;
    const names = namesIn(clause[2] ?? "");
    if (names === undefined) return undefined;
    const opening = (found[1] ?? "").replace(/\s+/g, " ");
    statements.push({
      opening,
      source: found[4] ?? found[6] ?? "",
      whole: clause[1] ?? "",
      names,
      text: text.slice(from, matcher.lastIndex),
    });
  }
  return statements;
}

function namesIn(list: string): Map<string, string> | undefined {
  const names = new Map<string, string>();
  for (const entry of list.split(",").map((one) => one.trim())) {
    if (entry === "") continue;
    const bound = NAME.exec(entry)?.[1];
    if (bound === undefined || names.has(bound)) return undefined;
    names.set(bound, entry);
  }
  return names;
}

/** All names that a statement binds. */
export function namesBoundBy({ whole, names }: ImportStatement): string[] {
  return [...(whole === "" ? [] : [whole.replace(/^\*\s*as\s+/, "")]), ...names.keys()];
}

/** How long lines of a file are, and how deep it indents. */
export type Layout = { width: number; indent: string };

const LEAST_WIDTH = 80;
const MOST_WIDTH = 120;

/** Nearly the longest line counts for the width: a few are longer everywhere. */
export function layoutOf(lines: readonly string[]): Layout {
  const lengths = lines.map((line) => line.trimEnd().length).sort((one, other) => one - other);
  const long = lengths[Math.floor(lengths.length * 0.99)] ?? 0;
  const indents = lines.map((line) => /^(?:\t| {2,8})(?=\S)/.exec(line)?.[0]).filter((indent) => indent !== undefined);
  const indent = indents.reduce((least, one) => (one.length < least.length ? one : least), indents[0] ?? "  ");
  return { width: Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, long)), indent };
}

/** A statement with other names, laid out as `model` is; broken over lines where one line would be too long. */
export function withNames(model: ImportStatement, names: readonly string[], layout: Layout): string {
  const list = /\{[^{}]*\}/.exec(model.text)?.[0] ?? "{ }";
  const indent = /\{\r?\n([ \t]+)/.exec(list)?.[1];
  const oneLine = list.startsWith("{ ") || indent !== undefined ? `{ ${names.join(", ")} }` : `{${names.join(", ")}}`;
  const comma = indent === undefined || /,\s*\}$/.test(list) ? "," : "";
  const onLines = `{\n${names.map((name) => `${indent ?? layout.indent}${name}`).join(",\n")}${comma}\n}`;
  const single = model.text.replace(list, () => oneLine);
  return indent === undefined && single.trimEnd().length <= layout.width ? single : model.text.replace(list, () => onLines);
}
