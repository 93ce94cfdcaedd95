import { createHash } from "node:crypto";
import { slotNumber } from "../domain/index.ts";
import type { PoolContext } from "./context.ts";
import type { PoolState } from "./pool-state.ts";

/** Above what services listen on by habit, below what Linux gives to outgoing connections. */
const FIRST = 20_000;
const LAST = 32_767;

/** Each slot has blocks of its own to look through first, so that two acquires at once do not choose the same. */
const CLASSES = 256;

/**
 * The first port of a block of free ports for a new lease of slot `n`; null where none is wanted (`pool.ports: 0`)
 * or none is free. The same slot gets the same block again while nothing else takes it.
 */
export async function choosePortBase(context: PoolContext, state: Pick<PoolState, "slots">, n: number): Promise<number | null> {
  const { repository, settings, narrate } = context;
  const size = settings.ports;
  if (size === 0) return null;
  const numbers = state.slots.map((slot) => slotNumber(slot.id) ?? 0);
  const held = state.slots.flatMap((slot) => (slotNumber(slot.id) === n ? [] : (slot.lease?.portBase ?? [])));
  for (const base of portBases(repository.commonDir, size, n, Math.max(n, ...numbers))) {
    if (held.every((other) => Math.abs(other - base) >= size) && (await areFree(base, size))) return base;
  }
  narrate(`no ${size} free ports in a row were found between ${FIRST} and ${LAST}: the lease has none of its own`);
  return null;
}

/**
 * Where the blocks for slot `n` begin, in the order in which they are tried: its own, then those of numbers that no
 * slot has (`highest` is the largest). Each repository begins at another place.
 */
export function portBases(repository: string, size: number, n: number, highest: number): number[] {
  const blocks = Math.floor((LAST + 1 - FIRST) / size);
  const start = createHash("sha256").update(repository).digest().readUInt32BE(0) % blocks;
  const all = [...Array(blocks).keys()];
  const own = all.filter((index) => index % CLASSES === n - 1);
  const nobodys = all.filter((index) => index % CLASSES >= highest);
  return [...own, ...nobodys].map((index) => FIRST + ((start + index) % blocks) * size);
}

/** True where nobody listens on any of the ports. */
async function areFree(base: number, size: number): Promise<boolean> {
  const { createServer } = await import("node:net");
  const isFree = (port: number, host: string | undefined): Promise<boolean> =>
    new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      // Without a host all addresses are meant, IPv6 where the machine has it.
      server.listen({ port, ...(host === undefined ? {} : { host }), exclusive: true }, () => server.close(() => resolve(true)));
    });
  for (let port = base; port < base + size; port++) {
    // On Linux whoever listens on one address is in the way of all of them at once, elsewhere not.
    if (process.platform !== "linux" && !(await isFree(port, "127.0.0.1"))) return false;
    if (!(await isFree(port, undefined))) return false;
  }
  return true;
}
