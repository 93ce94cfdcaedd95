/** The lines of a text, each with its ending; the last one may have none. `joinLines` is its inverse. */
export function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

export function joinLines(lines: readonly string[]): string {
  return lines.join("");
}

/** True where two lists hold the same lines in the same order. */
export function sameLines(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, n) => line === other[n]);
}
