/** One thing in each of the three versions of a file. */
export type Sides<T> = { base: T; ours: T; theirs: T };

export const SIDES = ["base", "ours", "theirs"] as const;

export function mapSides<T, U>(sides: Sides<T>, map: (value: T, side: (typeof SIDES)[number]) => U): Sides<U> {
  return { base: map(sides.base, "base"), ours: map(sides.ours, "ours"), theirs: map(sides.theirs, "theirs") };
}

/** The same where all three have it; undefined where one has not. */
export function complete<T>({ base, ours, theirs }: Sides<T | undefined>): Sides<T> | undefined {
  return base === undefined || ours === undefined || theirs === undefined ? undefined : { base, ours, theirs };
}

/** The value after both sides' changes; undefined where each changed it in a way of its own. */
export function threeWay<T>({ base, ours, theirs }: Sides<T>): T | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}
