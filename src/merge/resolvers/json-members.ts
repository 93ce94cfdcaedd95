import type { Member } from "./keyed.ts";

/** Members of a JSON object as they stand in a text, and whether a comma is behind the last one. */
export type JsonMembers = { members: Member[]; indent: string; lastComma: boolean };

const KEY = /(\s*)("(?:[^"\\]|\\.)*")\s*:\s*/y;
const SCALAR = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/y;
const PUNCTUATION = /"(?:[^"\\]|\\.)*"|[{}[\]]/g;
const REST = /[ \t]*(,?)[ \t]*(?:\r?\n|$)/y;

/**
 * Reads some lines as whole members, each beginning a line; the text of a member ends before its comma. Undefined where
 * they are anything else: half an object, a missing comma, members of different depth.
 */
export function readJsonMembers(lines: readonly string[]): JsonMembers | undefined {
  const text = lines.join("");
  const members: Member[] = [];
  const indents = new Set<string>();
  let lastComma = true;
  for (let at = 0; at < text.length; ) {
    const key = matchAt(KEY, text, at);
    if (key === null || !lastComma) return undefined;
    const end = endOfValue(text, at + key[0].length);
    const rest = end === undefined ? null : matchAt(REST, text, end);
    if (end === undefined || rest === null) return undefined;
    members.push({ key: key[2] ?? "", text: text.slice(at, end) });
    indents.add(key[1] ?? "");
    lastComma = rest[1] === ",";
    at = end + rest[0].length;
  }
  return indents.size > 1 ? undefined : { members, indent: [...indents][0] ?? "", lastComma };
}

function endOfValue(text: string, at: number): number | undefined {
  const scalar = matchAt(SCALAR, text, at);
  if (scalar !== null) return at + scalar[0].length;
  if (text[at] !== "{" && text[at] !== "[") return undefined;
  let depth = 0;
  for (const match of text.slice(at).matchAll(PUNCTUATION)) {
    if ("{[".includes(match[0])) depth++;
    else if ("}]".includes(match[0])) depth--;
    if (depth === 0) return at + match.index + 1;
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The value of a member as it is written. */
export function valueOf(member: string): string {
  return member.replace(/^\s*"(?:[^"\\]|\\.)*"\s*:\s*/, "");
}
