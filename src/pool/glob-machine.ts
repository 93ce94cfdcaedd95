/**
 * One step of a pattern: a letter, any number of letters, or nothing or any folders with a `/` behind them (`folders`).
 */
export type GlobStep = { kind: "one" | "many"; matches: (letter: string) => boolean } | { kind: "folders" };

/**
 * True if the whole path goes through all steps. Takes time in proportion to path times pattern, whatever stands in them:
 * a regular expression with many stars would try all their ways.
 */
export function matchesGlob(steps: readonly GlobStep[], path: string): boolean {
  let at = closure(steps, new Set([0]));
  // Steps of kind `folders` that have begun, and wait for a `/`.
  let inside = new Set<number>();
  for (const letter of path) {
    const next = new Set<number>();
    const nextInside = new Set<number>();
    for (const n of new Set([...at, ...inside])) {
      const step = steps[n];
      if (step?.kind === "folders") {
        nextInside.add(n);
        if (letter === "/") next.add(n + 1);
      } else if (step !== undefined && at.has(n) && step.matches(letter)) next.add(step.kind === "many" ? n : n + 1);
    }
    if (next.size + nextInside.size === 0) return false;
    at = closure(steps, next);
    inside = nextInside;
  }
  return at.has(steps.length);
}

/** Adds the steps that can be reached without another letter. */
function closure(steps: readonly GlobStep[], from: ReadonlySet<number>): Set<number> {
  const all = new Set<number>();
  for (const first of from)
    for (let n = first; !all.has(n); n++) {
      all.add(n);
      if (steps[n] === undefined || steps[n]?.kind === "one") break;
    }
  return all;
}
