import { stripVTControlCharacters } from "node:util";

/**
 * Makes text from outside safe to show: terminal sequences and control characters go (tab and newline stay),
 * carriage returns and invisible direction marks are shown as symbols, so that nothing can repaint a line.
 */
export function cleanText(text: string): string {
  return (
    stripVTControlCharacters(text)
      .replaceAll("\r\n", "\n")
      .replaceAll("\r", "␍")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "")
      .replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "·")
  );
}

/** Shows text exactly: what has no shape of its own (controls, direction marks, tags) is written as `\u{202e}`. */
export function visibleText(text: string): string {
  const hidden = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
  return text.replace(hidden, (letter) => (letter === "\n" ? letter : `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`));
}

/** Hides what looks like a credential in a URL (`https://user:secret@host`). */
export function hideCredentials(text: string): string {
  // Bounded, and not begun within a word, so that it takes time in proportion to the text.
  return text.replace(/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,4096}@/gi, "$1***@");
}

/** A text without the letters at its end that `isTrimmed` names. A regular expression would take the square of a run's length. */
export function trimEndOf(text: string, isTrimmed: (letter: string) => boolean): string {
  let end = text.length;
  while (end > 0 && isTrimmed(text[end - 1] ?? "")) end -= 1;
  return text.slice(0, end);
}

/** The last `lines` lines of a text, without trailing blank ones. */
export function tailLines(text: string, lines: number): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

/** "2 h 10 min", "45 s": a duration for people. */
export function humanDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** "1 task", "2 tasks". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** "1.5 GiB", "20 MiB", "0 B": a size for people. */
export function humanSize(bytes: number): string {
  const [unit, factor] = (
    [
      ["GiB", 2 ** 30],
      ["MiB", 2 ** 20],
      ["KiB", 2 ** 10],
    ] as const
  ).find(([, least]) => bytes >= least) ?? ["B", 1];
  const amount = bytes / factor;
  return `${amount >= 10 || factor === 1 ? Math.round(amount) : Math.round(amount * 10) / 10} ${unit}`;
}
