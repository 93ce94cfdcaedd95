import type { Entry, Region, Separator } from "./regions.ts";

/**
 * A member with all that moves with it: comments and decorators above it, a comment behind it on its last line. `text`
 * is without the indent of its first line and without its comma. `gap` are the blank lines before it.
 */
export type Item = Entry & { gap: string; indent: string; text: string; after: string; textFrom: number };

/** A region cut into its members without a rest: put together again it is the same text. */
export type Tiled = {
  kind: string;
  from: number;
  to: number;
  separator: Separator;
  /** Members one a line or more, all within one line, or none at all. */
  layout: "lines" | "inline" | "empty";
  head: string;
  items: readonly Item[];
  tail: string;
  lastSeparated: boolean;
  ending: string;
};

const HEAD = /[ \t]*(?:\/\/[^\n]*)?\r?\n/y;
const GAP = /(?:[ \t]*\r?\n)*/y;
const INDENT = /[ \t]*/y;
const AFTER = /(?:[ \t]*(,))?([ \t]*(?:\/\/[^\r\n]*|\/\*(?:[^*\n]|\*(?!\/))*\*\/)?)[ \t]*(?:\r?\n|$)/y;
const COMMENTS = /\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//g;

/** Cuts a region; undefined where members share lines with each other, or anything but comments is between them. */
export function tile(text: string, region: Region): Tiled | undefined {
  const inside = text.slice(region.from, region.to);
  if (region.entries.length === 0) return isTrivia(inside) && !inside.includes("/") ? empty(text, region) : undefined;
  return inside.includes("\n") ? tileLines(text, region) : tileInline(text, region);
}

const isTrivia = (text: string): boolean => text.replace(COMMENTS, "").trim() === "";

const endingOf = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n");

function empty(text: string, { kind, from, to, separator }: Region): Tiled {
  return { kind, from, to, separator, layout: "empty", head: "", items: [], tail: "", lastSeparated: false, ending: endingOf(text) };
}

function tileLines(text: string, { kind, from, to, separator, entries }: Region): Tiled | undefined {
  const head = kind === "Program" ? "" : matchAt(HEAD, text, from)?.[0];
  if (head === undefined) return undefined;
  const items: Item[] = [];
  let at = from + head.length;
  let lastSeparated = false;
  for (const entry of entries) {
    if (!isTrivia(text.slice(at, entry.from))) return undefined;
    const gap = matchAt(GAP, text, at)?.[0] ?? "";
    const indent = matchAt(INDENT, text, at + gap.length)?.[0] ?? "";
    const rest = matchAt(AFTER, text, entry.to);
    const textFrom = at + gap.length + indent.length;
    if (rest === null || textFrom > entry.from || entry.to + rest[0].length > to || !rest[0].endsWith("\n")) return undefined;
    lastSeparated = rest[1] === ",";
    if (lastSeparated && separator === "") return undefined;
    items.push({ ...entry, gap, indent, text: text.slice(textFrom, entry.to), after: rest[2] ?? "", textFrom });
    at = entry.to + rest[0].length;
  }
  const tail = text.slice(at, to);
  if (!isTrivia(tail)) return undefined;
  return { kind, from, to, separator, layout: "lines", head, items, tail, lastSeparated, ending: endingOf(text) };
}

function tileInline(text: string, { kind, from, to, separator, entries }: Region): Tiled | undefined {
  if (separator === "") return undefined;
  const items: Item[] = [];
  let at = from;
  for (const entry of entries) {
    if (text.slice(at, entry.from).trim() !== (items.length === 0 ? "" : separator)) return undefined;
    items.push({ ...entry, gap: "", indent: "", text: text.slice(entry.from, entry.to), after: "", textFrom: entry.from });
    at = entry.to;
  }
  const rest = /^(\s*)(,?)(\s*)$/.exec(text.slice(at, to));
  if (rest === null) return undefined;
  const head = matchAt(INDENT, text, from)?.[0] ?? "";
  return {
    kind,
    from,
    to,
    separator,
    layout: "inline",
    head,
    items,
    tail: `${rest[1]}${rest[3]}`,
    lastSeparated: rest[2] === ",",
    ending: endingOf(text),
  };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
