/** Sequences that a terminal obeys. Each part is bounded, so that text without an end costs no more than other text. */
const SEQUENCES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  /[\u001b\u009b](?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\u0007\u001b\n]{0,4096}(?:\u0007|\u001b\\)|[ -/]{0,8}[0-Z\\^-~])|\u009b[0-?]{0,64}[ -/]{0,8}[@-~]/g;

/**
 * The one cleaner of text from outside, for whatever shows it: sequences for terminals, control characters and
 * invisible characters (direction marks, tags, zero-width ones) go. Tabs and line breaks stay. A lone carriage return is
 * shown as a symbol, and Unicode's own line breaks become blanks.
 */
export function cleanText(text: string): string {
  return text
    .replace(SEQUENCES, "")
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "␍")
    .replace(/[\p{Zl}\p{Zp}]/gu, " ")
    .replace(/(?![\n\t])[\p{Cc}\p{Cf}\u2065\u{e0000}-\u{e0fff}]/gu, "");
}

/** Cleans text and makes one line of it. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/\s+/g, " ").trim();
}

/** The first line of a text that says more below it. */
export function firstLine(text: string): string {
  return cleanLine(text.split("\n", 1)[0] ?? "");
}

/** Puts somebody else's words on a page as data: a code span that they cannot end. */
export function inCode(text: string): string {
  return `\`${cleanLine(text).replaceAll("`", "'")}\``;
}

/** Cleans text for a terminal, and keeps colours if the terminal wants them. */
export function terminalText(text: string, color: boolean): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are told from the rest
  const parts = text.split(/(\u001b\[[0-9;]{0,20}m)/);
  return parts.map((part, index) => (index % 2 === 0 ? cleanText(part) : color ? part : "")).join("");
}

/** Shows text exactly: invisible characters (controls, direction marks, tags) are written as `\u{202e}`. */
export function visibleText(text: string): string {
  const hidden = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u{e0000}-\u{e0fff}]/gu;
  return text.replace(hidden, (letter) => (letter === "\n" ? letter : `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`));
}

/** Hides what looks like a credential in a URL (`https://user:secret@host`). */
export function hideCredentials(text: string): string {
  // Bounded, and not begun within a word, so that it takes time in proportion to the text.
  return text.replace(/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,4096}@/gi, "$1***@");
}

/** Takes letters off the end of a text while `isTrimmed` holds. Takes linear time; a regular expression would not. */
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
