/** A member of an unordered container: what names it, and its text. */
export type Member = { key: string; text: string };

export type Compare = (one: string, other: string) => number;

/**
 * Three-way merge of members by key: one side's change, addition or removal is taken; equal ones once; what both
 * changed is asked of `both`. Undefined where a key stands twice in a side, where one side changed what the other
 * removed, or where `both` declines. The order is that of `orderKeys`, by the alphabet if all sides are sorted.
 */
export function mergeMembers(
  base: readonly Member[],
  ours: readonly Member[],
  theirs: readonly Member[],
  both: (base: string, ours: string, theirs: string) => string | undefined,
  compare: Compare = alphabetically,
): Member[] | undefined {
  const [before, our, their] = [byKey(base), byKey(ours), byKey(theirs)];
  if (before === undefined || our === undefined || their === undefined) return undefined;
  const merged = new Map<string, string>();
  for (const key of new Set([...before.keys(), ...our.keys(), ...their.keys()])) {
    const [was, mine, other] = [before.get(key), our.get(key), their.get(key)];
    const value = threeWay(was, mine, other) ?? askBoth(was, mine, other, both);
    if (value === undefined) return undefined;
    if (value !== REMOVED) merged.set(key, value);
  }
  const keys = { base: [...before.keys()], ours: [...our.keys()], theirs: [...their.keys()] };
  // One key a side is in every order.
  const order = orderKeys(keys, (key) => merged.has(key), ours.length + theirs.length > 2 ? compare : undefined);
  return order?.map((key) => ({ key, text: merged.get(key) ?? "" }));
}

const REMOVED = Symbol("removed");

/** The value after both sides' changes of one place; undefined where both changed it, each in its own way. */
function threeWay(base: string | undefined, ours: string | undefined, theirs: string | undefined): string | typeof REMOVED | undefined {
  if (ours === theirs || theirs === base) return ours ?? REMOVED;
  return ours === base ? (theirs ?? REMOVED) : undefined;
}

function askBoth(
  base: string | undefined,
  ours: string | undefined,
  theirs: string | undefined,
  both: (base: string, ours: string, theirs: string) => string | undefined,
): string | undefined {
  return base === undefined || ours === undefined || theirs === undefined ? undefined : both(base, ours, theirs);
}

export type KeyOrders = { base: readonly string[]; ours: readonly string[]; theirs: readonly string[] };

/**
 * The order of the keys that are kept: as in the side that moved some, else as in ours; undefined where both moved
 * some. A key of the other side alone goes where the alphabet puts it if `compare` holds for both sides, else behind the
 * key it follows there and behind what was added at that place.
 */
export function orderKeys(
  { base, ours, theirs }: KeyOrders,
  isKept: (key: string) => boolean,
  compare: Compare | undefined,
): string[] | undefined {
  const [oursMoved, theirsMoved] = [moved(base, ours), moved(base, theirs)];
  if (oursMoved && theirsMoved && moved(ours, theirs)) return undefined;
  const [first, second] = theirsMoved && !oursMoved ? [theirs, ours] : [ours, theirs];
  const sorted = compare !== undefined && [first, second].every((keys) => isSorted(keys, compare));
  const order = first.filter(isKept);
  for (const [n, key] of second.entries()) {
    if (!isKept(key) || order.includes(key)) continue;
    order.splice(sorted ? placeAmong(order, key, compare) : placeBehind(order, second, n), 0, key);
  }
  return order;
}

/** True where the keys that both have stand in another order. */
function moved(before: readonly string[], after: readonly string[]): boolean {
  const kept = before.filter((key) => after.includes(key));
  const now = after.filter((key) => before.includes(key));
  return kept.some((key, n) => key !== now[n]);
}

function placeAmong(order: readonly string[], key: string, compare: Compare): number {
  const at = order.findIndex((one) => compare(one, key) > 0);
  return at < 0 ? order.length : at;
}

function placeBehind(order: readonly string[], side: readonly string[], n: number): number {
  const known = side.slice(0, n).findLast((key) => order.includes(key));
  let at = known === undefined ? 0 : order.indexOf(known) + 1;
  while (at < order.length && !side.includes(order[at] ?? "")) at++;
  return at;
}

function byKey(members: readonly Member[]): Map<string, string> | undefined {
  const map = new Map(members.map(({ key, text }) => [key, text]));
  return map.size === members.length ? map : undefined;
}

export function isSorted(keys: readonly string[], compare: Compare): boolean {
  return keys.every((key, n) => n === 0 || compare(keys[n - 1] ?? "", key) <= 0);
}

export function alphabetically(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
