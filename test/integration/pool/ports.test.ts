import { createServer } from "node:net";
import { expect, test } from "vitest";
import type { Lease } from "../../../src/domain/index.ts";
import { acquireSlot, existingStore, initPool, releaseSlot } from "../../../src/pool/index.ts";
import type { PoolState } from "../../../src/pool/pool-state.ts";
import { choosePortBase } from "../../../src/pool/ports.ts";
import { atEnd } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";

async function poolWith(ports: number): Promise<Lab & { state: PoolState }> {
  const made = await lab({}, { ports });
  await initPool(made.context, { size: 2 });
  return { ...made, state: existingStore(made.context.repository).read().state };
}

async function listen(port: number, host: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, resolve);
  });
  atEnd(() => void server.close());
}

const leased = (state: PoolState, id: string, portBase: number): PoolState => ({
  ...state,
  slots: state.slots.map((slot) => (slot.id === id ? { ...slot, lease: { task: id, portBase } as Lease } : slot)),
});

test("a slot gets the same block each time, and another where somebody listens on any port of it", async () => {
  const { context, state } = await poolWith(10);
  const base = (await choosePortBase(context, state, 1)) ?? 0;
  expect(await choosePortBase(context, state, 1)).toBe(base);
  await listen(base + 9, "127.0.0.1");
  const next = (await choosePortBase(context, state, 1)) ?? 0;
  expect(Math.abs(next - base)).toBeGreaterThanOrEqual(10);
  await listen(next, "0.0.0.0");
  expect([base, next]).not.toContain(await choosePortBase(context, state, 1));
});

test("no block of another live lease is given", async () => {
  const { context, state } = await poolWith(10);
  const base = (await choosePortBase(context, state, 1)) ?? 0;
  const other = (await choosePortBase(context, leased(state, "wt-2", base + 5), 1)) ?? 0;
  expect(Math.abs(other - (base + 5))).toBeGreaterThanOrEqual(10);
  expect(await choosePortBase(context, leased(state, "wt-1", base), 1)).toBe(base);
  expect(await choosePortBase(context, state, 2)).not.toBe(base);
});

test("none is looked for where none is wanted", async () => {
  const { context, state } = await poolWith(0);
  expect(await choosePortBase(context, state, 1)).toBe(null);
});

test("a lease has its ports until it ends, and asking again changes nothing", async () => {
  const { context } = await poolWith(10);
  const one = await acquireSlot(context, { task: "one" });
  const two = await acquireSlot(context, { task: "two" });
  const bases = [one, two].map(({ lease }) => lease.portBase ?? 0);
  expect(Math.abs((bases[0] ?? 0) - (bases[1] ?? 0))).toBeGreaterThanOrEqual(10);
  expect((await acquireSlot(context, { task: "one" })).lease.portBase).toBe(bases[0]);
  expect(
    existingStore(context.repository)
      .read()
      .state.slots.map((slot) => slot.lease?.portBase),
  ).toEqual(bases);
  await releaseSlot(context, { name: "one" });
  expect((await acquireSlot(context, { task: "three" })).lease.portBase).toBe(bases[0]);
});
