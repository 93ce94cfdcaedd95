import { expect, test } from "vitest";
import type { Lease, SlotStatus } from "../../../src/domain/index.ts";
import { freeSlots, type PoolState, type SlotRecord } from "../../../src/pool/index.ts";

const lease = (task: string, run: string): Lease => ({
  task,
  run,
  branch: `auto/${task}`,
  base: "b",
  token: 1,
  owner: { kind: "shell", name: "shell" },
  acquiredAt: "",
  expiresAt: null,
  ttlMs: null,
  renewed: { bootId: "", ms: 0 },
  portBase: null,
});

const slot = (id: string, status: SlotStatus, held: Lease | null = null): SlotRecord => ({
  id,
  path: `/pool/${id}`,
  admin: id,
  folder: null,
  status,
  head: null,
  lease: held,
  worker: null,
  dependencies: null,
  lastError: null,
  operation: "",
});

test("a run's own slots, the idle ones and those of others are counted apart", () => {
  const slots = [
    slot("wt-1", "idle"),
    slot("wt-2", "busy", lease("a", "r1")),
    slot("wt-3", "preparing", lease("b", "r1")),
    slot("wt-4", "releasing", lease("c", "r1")),
    slot("wt-5", "busy", lease("d", "r2")),
    slot("wt-6", "quarantined"),
    slot("wt-7", "quarantined", lease("e", "r1")),
    slot("wt-8", "preparing"),
  ];
  const state: PoolState = { createdAt: "", dir: "", nextToken: 1, waiting: [], branches: {}, slots };
  expect(freeSlots(state, "r1")).toEqual({
    idle: 1,
    mine: 3,
    others: [
      { slot: "wt-5", task: "d", run: "r2" },
      { slot: "wt-6", task: null, run: null },
      { slot: "wt-7", task: "e", run: "r1" },
      { slot: "wt-8", task: null, run: null },
    ],
  });
});
