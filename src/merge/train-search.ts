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

/**
 * What to verify next to know how much of a train may land: as much of it as is green just as likely as not, which is
 * all of it where branches seldom break, and one where they often do; when that is red, the prefixes that cut what is
 * unknown into equal parts, one a slot (halves with one slot).
 */
export function nextOfTrain({ size, green, red }: TrainKnowledge, { slots, ejection }: TrainOdds): TrainNext {
  const low = Math.max(0, ...[...green].filter((length) => length <= size));
  const high = Math.min(...[...red].filter((length) => length > low), size + 1);
  if (low === size) return { kind: "green" };
  if (high === low + 1 && red.has(high)) return { kind: "culprit", after: low };
  const even = Math.max(1, Math.floor(Math.log(0.5) / Math.log(1 - ejection)));
  const end = high > size ? Math.min(size, low + even) : high;
  // More than one in `ejection` of what is verified ahead would be thrown away.
  const window = Math.max(1, Math.min(slots, WIDEST, Math.max(2, Math.floor(1 / ejection))));
  const ahead =
    even === 1 ? Array.from({ length: window }, (_, index) => low + 1 + index) : evenly(low, end, high > size ? window - 1 : window);
  const wanted = high > size ? [end, ...ahead] : ahead;
  return { kind: "verify", prefixes: [...new Set(wanted)].filter((length) => length > low && length < high).slice(0, window) };
}

/** So many whole numbers between two, at equal distances. */
function evenly(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => low + Math.round(((index + 1) * (high - low)) / (count + 1)));
}
