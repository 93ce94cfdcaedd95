import { splitLines } from "../align/text-lines.ts";

/** A stretch of a text, from its first character to behind its last. */
export type Span = { from: number; to: number };

/** Other text for a stretch. */
export type Edit = Span & { text: string };

export const holds = (outer: Span, inner: Span): boolean => outer.from <= inner.from && inner.to <= outer.to;

/** The whole lines that a stretch is in. */
export function wholeLines({ from, to }: Span, text: string): Span {
  const end = text.indexOf("\n", to);
  return { from: text.lastIndexOf("\n", from - 1) + 1, to: end < 0 ? text.length : end + 1 };
}

/** The whole lines of a member that shares them with no other one. */
export function ownLines(span: Span, text: string): Span {
  const lines = wholeLines(span, text);
  const isAlone = text.slice(lines.from, span.from).trim() === "" && /^[ \t]*,?[ \t]*(?:\/[/*].*)?\s*$/.test(text.slice(span.to, lines.to));
  return isAlone ? lines : span;
}

/** The lines that a stretch is in. */
export function linesAt(span: Span, text: string): string[] {
  const lines = wholeLines(span, text);
  return splitLines(text.slice(lines.from, lines.to));
}

/** The lines that a stretch is in, as they are and with other text in its place. */
export function linesWith({ from, to }: Span, text: string, inside: string): string[] {
  const lines = wholeLines({ from, to }, text);
  return [text.slice(from, to), inside].flatMap((one) => splitLines(text.slice(lines.from, from) + one + text.slice(to, lines.to)));
}

/** A part of a text with its edits made; those elsewhere are of no concern. */
export function edited(text: string, { from, to }: Span, edits: readonly Edit[]): string {
  let done = "";
  let at = from;
  for (const edit of [...edits].sort((one, other) => one.from - other.from)) {
    if (edit.from < from || edit.to > to) continue;
    done += text.slice(at, edit.from) + edit.text;
    at = edit.to;
  }
  return done + text.slice(at, to);
}
