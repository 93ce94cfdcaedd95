import { createServer } from "node:net";
import { expect, test } from "vitest";
import type { Lease } from "../../../src/domain/index.ts";
import { existingStore, initPool } from "../../../src/pool/index.ts";
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
