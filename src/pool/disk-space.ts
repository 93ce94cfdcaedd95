import { lstatSync, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, judgingFolders } from "../checkout/index.ts";
import { GraftworkError, humanSize } from "../domain/index.ts";
import type { PoolContext } from "./context.ts";
import type { PoolState } from "./pool-state.ts";

const LEAST_BYTES = 2 ** 30;

/** Looked at no further when the sizes are told: a refusal must not take minutes. */
const COUNTED_AT_MOST = 200_000;

/** Bytes that have to be free for `slots` new slots (0: for a lease of one that is there), each as large as the largest. */
export function bytesNeeded(state: Pick<PoolState, "slots">, slots: number): number {
  const largest = Math.max(0, ...state.slots.map((slot) => slot.sizeBytes ?? 0));
  return Math.max(LEAST_BYTES, 2 * largest) + Math.max(0, slots - 1) * largest;
}

/**
 * Throws DISK_LOW where too little is free for new slots or for a lease, with what takes the space. Asks the file
 * system one question, and walks through folders only for the refusal.
 */
export function requireDiskSpace(
  context: PoolContext,
  state: Pick<PoolState, "slots" | "dir">,
  slots: number,
  free: number | undefined = freeBytes(state.dir),
): void {
  const needed = bytesNeeded(state, slots);
  if (free === undefined || free >= needed) return;
  const takers = spaceTakers(context, state);
  const what = takers.map(({ name, bytes }) => `${name} ${humanSize(bytes)}`);
  throw new GraftworkError("DISK_LOW", {
    message: `Too little is free on the disk of ${state.dir}: ${humanSize(free)}, and ${humanSize(needed)} are needed.`,
    because: what.length === 0 ? "nothing of the pool's takes the space." : `the pool takes: ${what.join(", ")}.`,
    try:
      state.slots.length > 1
        ? `free some space, or make the pool smaller: \`pool-manager init ${state.slots.length - 1}\`.`
        : "free some space and run the same command again.",
    details: { free, needed, takers },
  });
}

/** What is free for us on the disk of a folder; undefined where it cannot be told. */
export function freeBytes(dir: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

type Taker = { name: string; bytes: number };

/** Slots, trash and caches, the largest first. */
function spaceTakers({ repository }: PoolContext, state: Pick<PoolState, "slots" | "dir">): Taker[] {
  const trash = join(state.dir, "trash");
  const cache = cacheFolder(repository);
  const others = [cache, ...judgingFolders(repository).filter((path) => !path.startsWith(cache))];
  return [
    ...state.slots.map((slot) => ({ name: slot.id, bytes: slot.sizeBytes ?? sizeOnDisk(slot.path) })),
    { name: `trash (${trash})`, bytes: sizeOnDisk(trash) },
    ...others.map((path) => ({ name: `caches (${path})`, bytes: sizeOnDisk(path) })),
  ]
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}

/** Bytes that a folder takes on the disk; links are not followed. Of a very large one what was counted until then. */
export function sizeOnDisk(path: string): number {
  let left = COUNTED_AT_MOST;
  const sizeOf = (folder: string): number => {
    let bytes = 0;
    for (const name of namesIn(folder)) {
      if (left-- <= 0) break;
      const below = join(folder, name);
      const stat = lstatSync(below, { throwIfNoEntry: false });
      bytes += (stat?.blocks ?? 0) * 512 + (stat?.isDirectory() === true ? sizeOf(below) : 0);
    }
    return bytes;
  };
  return sizeOf(path);
}

/** What cannot be read, or is gone by now, is not counted. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
