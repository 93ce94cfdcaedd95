const WORD = /\d+(?:\.\d+)+|[\p{L}\p{N}_$]+|\s+|[^\s\p{L}\p{N}_$]/gu;

/** The words of some lines: names, numbers and versions, runs of white space, single other characters. Joined they are the text. */
export function wordsOf(lines: readonly string[]): string[] {
  return lines.join("").match(WORD) ?? [];
}
