import { LONGEST_PART, OVERLAP } from "../domain/index.ts";
import { unquoted } from "./translate-attributes.ts";

/** What commits add: new lines of a file and its name (`path`), or a commit's message, people and headers (`path` null). */
export type AddedText = { path: string | null; text: string };

const LONGEST_NAME = 4096;

/**
 * Parses the output of `git log -p`, given in chunks of any size. Calls `tell` with file names and the lines that each patch
 * adds. Only the first characters of a line decide its kind. git writes them, so no content can mislead the parser.
 */
export function patchReader(tell: (added: AddedText) => void): { read: (chunk: string) => void; end: () => void } {
  let path = "";
  // Number of +/- columns before a line: one for each parent, 0 before the first hunk.
  let signs = 0;
  let open = "";
  // Null until a part of the open line was handed on. Then: whether that line is an added one.
  let isTornAdded: boolean | null = null;
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length > 0) tell({ path, text: lines.join("\n") });
    lines = [];
  };
  const addedBy = (line: string): string | undefined => {
    if (/^diff --(?:git|cc|combined) /.test(line)) {
      flush();
      signs = 0;
      const name = nameIn(line);
      path = name.length > LONGEST_NAME ? "a file with a very long name" : name;
      return name;
    }
    if (/^@@+ /.test(line)) {
      signs = line.indexOf(" ") - 1;
      return undefined;
    }
    const sign = line.slice(0, signs);
    return sign.includes("+") && !sign.includes("-") ? line.slice(signs) : undefined;
  };
  const take = (line: string): boolean => {
    const added = isTornAdded === null ? addedBy(line) : isTornAdded ? line : undefined;
    isTornAdded = null;
    if (added !== undefined) lines.push(added);
    return added !== undefined;
  };
  return {
    read: (chunk) => {
      const [first = "", ...rest] = chunk.split("\n");
      open += first;
      for (const line of rest) {
        take(open);
        open = line;
      }
      if (open.length >= LONGEST_PART) {
        isTornAdded = take(open);
        open = open.slice(-OVERLAP);
      }
      flush();
    },
    end: () => {
      take(open);
      flush();
    },
  };
}

/** Returns the file name in a patch's first line, or both names if they differ. */
function nameIn(line: string): string {
  const plain = twice(line, ["diff --git a/", " b/", ""]);
  if (plain !== undefined) return plain;
  const rest = line.replace(/^diff --\w+ /, "");
  // git quotes names with control characters, quotes or backslashes.
  const inside = twice(line, ['diff --git "a/', '" "b/', '"']) ?? (/^".*"$/.test(rest) ? rest.slice(1, -1) : undefined);
  return (inside === undefined ? undefined : unquoted(inside)) ?? rest;
}

/** Returns the name that a line repeats between three fixed texts. The length follows from the line, so this takes linear time. */
function twice(line: string, [before, between, after]: [string, string, string]): string | undefined {
  const length = (line.length - before.length - between.length - after.length) / 2;
  const name = line.slice(before.length, before.length + length);
  return Number.isInteger(length) && length >= 0 && line === `${before}${name}${between}${name}${after}` ? name : undefined;
}
