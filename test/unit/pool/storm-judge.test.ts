import { expect, test } from "vitest";
import type { SlotStatus } from "../../../src/domain/index.ts";
import { judgeHistory } from "../../storm/history.ts";
import { judgeStorm, orphanedFiles } from "../../storm/judge.ts";
import type { StormLine } from "../../storm/log.ts";

type Told = [pid: number, what: StormLine["what"], token?: number, more?: Partial<StormLine>];

/** A log whose lines are a millisecond apart, all about `wt-1` and a task of each token's own. */
function log(...told: Told[]): StormLine[] {
  return told.map(([pid, what, token, more], at) => ({
    at,
    pid,
    what,
    ...(token === undefined ? {} : { token, slot: "wt-1", task: `task-${token}` }),
    ...more,
  }));
}

const lease = (pid: number, token: number): Told[] => [
  [pid, "acquire"],
  [pid, "acquired", token],
  [pid, "wrote", token],
  [pid, "leaving", token],
  [pid, "release", token],
  [pid, "released", token],
];

test("leases one after the other, a killed holder and a robbed one are all right", () => {
  const lines = log(
    ...lease(1, 1),
    [2, "acquire"],
    [2, "acquired", 2],
    [2, "wrote", 2],
    [2, "killed"],
    ...lease(3, 3),
    [4, "acquire"],
    [4, "acquired", 4],
    [3, "rob", 4],
    [3, "robbed", 4],
    ...lease(3, 5),
    [4, "fenced", 4],
  );
  expect(judgeStorm(lines)).toEqual([]);
  expect(orphanedFiles(lines)).toEqual([2]);
});

test.for<[said: string, told: Told[]]>([
  ["slot wt-1 had two holders: 1 by token 1, 2 by token 2", [[1, "acquire"], [1, "acquired", 1], ...lease(2, 2), [1, "release", 1]]],
  [
    "task t had two holders",
    [
      [1, "acquired", 1, { task: "t" }],
      [2, "acquired", 2, { task: "t", slot: "wt-2" }],
    ],
  ],
  ["token 1 was given twice: to 1 and 2", [...lease(1, 1), ...lease(2, 1)]],
  ["token 3 was given after token 4", [...lease(1, 4), ...lease(2, 3)]],
  [
    "fenced of wt-1 by 1, token 1:  (nobody had ended that lease)",
    [
      [1, "acquire"],
      [1, "acquired", 1],
      [1, "fenced", 1],
    ],
  ],
  [
    "stranger of wt-1 by 2, token 2: 1 (its lease had not ended)",
    [
      [1, "acquired", 1],
      [2, "stranger", 2, { text: "1" }],
    ],
  ],
  [
    "trampled of wt-1 by 1, token 1",
    [
      [1, "acquired", 1],
      [1, "trampled", 1],
    ],
  ],
  [
    "stale-release of wt-1 by 1, token 1",
    [
      [1, "acquired", 1],
      [2, "rob", 1],
      [1, "stale-release", 1],
    ],
  ],
  [
    "failed of wt-1 by 1, token 1: GIT_FAILED",
    [
      [1, "acquired", 1],
      [1, "failed", 1, { text: "GIT_FAILED" }],
    ],
  ],
  [
    "the release of wt-1 by token 1 was refused: LEASE_HELD",
    [
      [1, "acquired", 1],
      [1, "release", 1],
      [1, "refused", 1, { text: "LEASE_HELD" }],
    ],
  ],
])("said: %s", ([said, told], { expect }) => {
  expect(judgeStorm(log(...told)).join("\n")).toContain(said);
});

test("a history in which a lease vanishes, comes back or was never recorded is told", () => {
  const slot = (status: SlotStatus, token?: number) => ({ id: "wt-1", status, lease: token === undefined ? null : { token } });
  const record = (generation: number, ...slots: ReturnType<typeof slot>[]) => ({
    generation,
    operation: "op",
    state: { nextToken: 9, slots },
  });
  const judged = (slots: ReturnType<typeof slot>[], lines: StormLine[] = []) =>
    judgeHistory(
      slots.map((one, n) => record(n + 1, one)),
      lines,
    ).join("\n");
  expect(judged([slot("idle"), slot("busy", 1)], log([1, "acquired", 1]))).toBe("");
  expect(judged([slot("busy", 1), slot("idle")])).toContain("loses lease 1 without a release");
  expect(judged([slot("idle"), slot("busy")])).toContain("busy and nobody has it");
  expect(judged([slot("busy", 2), slot("busy", 1)])).toContain("has token 1 again");
  expect(judged([slot("idle")], log([1, "acquired", 1]))).toContain("the acquire of wt-1 1 was acknowledged and is in no record");
  expect(judged([slot("busy", 1)], log([1, "released", 1]))).toContain(
    "the release of wt-1 1 was acknowledged and is not in the last record",
  );
  expect(judgeHistory([record(1), record(3)], []).join()).toContain("those before it are missing");
});
