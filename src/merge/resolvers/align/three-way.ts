import { type Change, changesBetween, sameChange } from "./changes.ts";

/** What the three sides have at one place where they could not be merged line by line. */
export type Hunk = {
  base: readonly string[];
  ours: readonly string[];
  theirs: readonly string[];
  /** The number of its first line in each side, from 0. */
  at: { base: number; ours: number; theirs: number };
};

/** A merged file in order: lines that git's merge takes by itself, and hunks that it leaves. */
export type Part = { kind: "lines"; lines: readonly string[] } | { kind: "hunk"; hunk: Hunk };

type Side = "ours" | "theirs" | "both";
/** A stretch of the three files that at least one side changed: first line and number of lines in each. */
type Stretch = { side: Side; base: Span; ours: Span; theirs: Span };
type Span = { from: number; count: number };

/**
 * The three-way merge of lines as git does it (level "eager", the one that its diff3 markers show): changes of one
 * side alone are taken, equal changes once, changes that overlap or touch are a hunk.
 */
export function mergeLines(base: readonly string[], ours: readonly string[], theirs: readonly string[]): Part[] {
  const parts: Part[] = [];
  let next = 0;
  const take = (lines: readonly string[]): void => {
    if (lines.length > 0) parts.push({ kind: "lines", lines });
  };
  for (const stretch of stretchesOf(changesBetween(base, ours), changesBetween(base, theirs), ours, theirs)) {
    take(ours.slice(next, stretch.ours.from));
    next = end(stretch.ours);
    if (stretch.side === "ours") take(within(ours, stretch.ours));
    else if (stretch.side === "theirs") take(within(theirs, stretch.theirs));
    else {
      const at = { base: stretch.base.from, ours: stretch.ours.from, theirs: stretch.theirs.from };
      const sides = { base: within(base, stretch.base), ours: within(ours, stretch.ours), theirs: within(theirs, stretch.theirs) };
      parts.push({ kind: "hunk", hunk: { ...sides, at } });
    }
  }
  take(ours.slice(next));
  return parts;
}

/** Equal changes of both sides are in no stretch: ours has them already. */
function stretchesOf(
  ofOurs: readonly Change[],
  ofTheirs: readonly Change[],
  ours: readonly string[],
  theirs: readonly string[],
): Stretch[] {
  const stretches: Stretch[] = [];
  let n = 0;
  let m = 0;
  // Lines that the other side has before a place of the base, as changes before it left them.
  let shiftOurs = 0;
  let shiftTheirs = 0;
  for (;;) {
    const our = ofOurs[n];
    const their = ofTheirs[m];
    if (our === undefined && their === undefined) return stretches;
    if (our !== undefined && (their === undefined || our.before + our.removed < their.before)) {
      append(stretches, oneSided("ours", our, shiftTheirs));
      shiftOurs = shiftAfter(our);
      n++;
    } else if (their !== undefined && (our === undefined || their.before + their.removed < our.before)) {
      append(stretches, oneSided("theirs", their, shiftOurs));
      shiftTheirs = shiftAfter(their);
      m++;
    } else if (our !== undefined && their !== undefined) {
      if (!sameChange(our, their, ours, theirs)) append(stretches, twoSided(our, their));
      const ourEnd = our.before + our.removed;
      const theirEnd = their.before + their.removed;
      if (theirEnd >= ourEnd) {
        shiftOurs = shiftAfter(our);
        n++;
      }
      if (ourEnd >= theirEnd) {
        shiftTheirs = shiftAfter(their);
        m++;
      }
    }
  }
}

function oneSided(side: "ours" | "theirs", change: Change, shift: number): Stretch {
  const base = { from: change.before, count: change.removed };
  const changed = { from: change.after, count: change.added };
  const other = { from: change.before + shift, count: change.removed };
  return side === "ours" ? { side, base, ours: changed, theirs: other } : { side, base, ours: other, theirs: changed };
}

/** The smallest stretch that holds both changes. */
function twoSided(our: Change, their: Change): Stretch {
  const from = Math.min(our.before, their.before);
  const to = Math.max(our.before + our.removed, their.before + their.removed);
  const span = (change: Change): Span => ({
    from: change.after - (change.before - from),
    count: change.before - from + change.added + (to - change.before - change.removed),
  });
  return { side: "both", base: { from, count: to - from }, ours: span(our), theirs: span(their) };
}

/** Adds a stretch, or lengthens the last one where the two touch in either side. */
function append(stretches: Stretch[], stretch: Stretch): void {
  const last = stretches.at(-1);
  if (last === undefined || (stretch.ours.from > end(last.ours) && stretch.theirs.from > end(last.theirs))) {
    stretches.push(stretch);
    return;
  }
  if (last.side !== stretch.side) last.side = "both";
  for (const name of ["base", "ours", "theirs"] as const) {
    last[name] = { from: last[name].from, count: end(stretch[name]) - last[name].from };
  }
}

const shiftAfter = (change: Change): number => change.after + change.added - change.before - change.removed;
const end = (span: Span): number => span.from + span.count;
const within = (lines: readonly string[], span: Span): readonly string[] => lines.slice(span.from, end(span));
