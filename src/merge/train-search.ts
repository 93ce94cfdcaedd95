/** What is known of a train: `green` and `red` hold lengths of prefixes, 0 being the base, which is green. */
export type TrainKnowledge = { size: number; green: ReadonlySet<number>; red: ReadonlySet<number> };

export type TrainOdds = {
  /** Verifications that may run at once. */
  slots: number;
  /** How likely one branch, approved alone, breaks with the others: the repository's own record. */
  ejection: number;
};

/** As many as the best known merge queue runs side by side. */
const WIDEST = 20;

export type TrainNext =
  /** The whole train is green. */
  | { kind: "green" }
  /** Green up to `after` branches; the one behind them is the culprit. */
  | { kind: "culprit"; after: number }
  /** Prefixes to verify now, the most telling one first. */
  | { kind: "verify"; prefixes: readonly number[] };

/** How many prefixes are verified at once: more than one in `ejection` of what is verified ahead would be thrown away. */
const width = ({ slots, ejection }: TrainOdds): number => Math.max(1, Math.min(slots, WIDEST, Math.max(2, Math.floor(1 / ejection))));

/**
 * How many branches to put into one train: as many as make every answer to its first round (all green, or which part
 * is the first red one) equally likely. That is the whole group where branches seldom break, and one branch for each
 * slot where they often do.
 */
export function trainLength(odds: TrainOdds): number {
  const prefixes = width(odds);
  const even = Math.floor(Math.log(1 / (prefixes + 1)) / Math.log(1 - odds.ejection));
  // Two branches a part would leave a second round to tell which one it was.
  return even < 2 * prefixes ? prefixes : even;
}

/** What to verify next to know how much of a train may land: prefixes that cut what is unknown into equal parts. */
export function nextOfTrain({ size, green, red }: TrainKnowledge, odds: TrainOdds): TrainNext {
  const low = Math.max(0, ...[...green].filter((length) => length <= size));
  const high = Math.min(...[...red].filter((length) => length > low), size + 1);
  if (low === size) return { kind: "green" };
  if (high === low + 1 && red.has(high)) return { kind: "culprit", after: low };
  const prefixes = width(odds);
  const wanted = high > size ? [size, ...cuts(low, size, prefixes - 1)] : cuts(low, high, prefixes);
  return { kind: "verify", prefixes: [...new Set(wanted)].filter((length) => length > low && length < high) };
}

/** So many whole numbers between two, at equal distances. */
function cuts(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => low + Math.round(((index + 1) * (high - low)) / (count + 1)));
}
