import { expect, test } from "vitest";
import type { Outcome, RunEvent } from "../../../src/domain/index.ts";
import { foldRun } from "../../../src/session/index.ts";
import { aPlan, aTask, firstLine, verdictOf } from "./simulation.ts";

const plan = aPlan([aTask("a"), aTask("b", ["a"])]);
const landedA = { task: "a", branch: "auto/a", branchTip: "a1", merge: "m1" };

function attempt(task: string, outcome: Outcome): RunEvent[] {
  const about = { task, attempt: 1 };
  return [
    { type: "attempt-started", ...about, slot: "wt-1", token: 1, branch: `auto/${task}`, base: "b0", agent: "mock", log: "l" },
    { type: "attempt-ended", ...about, outcome, session: null, usage: null, durationMs: 1 },
  ];
}

const ready = (task: string): RunEvent[] => attempt(task, { kind: "ready", commit: `${task}1`, summary: "", notes: [] });
const skipped: RunEvent = { type: "resolved", task: "a", how: "skip", commit: null, reason: "by hand" };
const back: RunEvent = { type: "merged-elsewhere", at: "m2", tasks: [landedA] };

function statusOfB(...events: RunEvent[]) {
  const lines = [{ type: "group-started", group: 1, base: "b0" } as const, ...events].map((event, index) => ({
    seq: index + 2,
    epoch: 1,
    at: "",
    event,
  }));
  const { status, lastError } =
    foldRun([firstLine(), ...lines], plan, { retries: 0, onConflict: [] }).tasks.get("b") ?? expect.unreachable();
  return { status, lastError };
}

test("a task whose agent asks a person asks still when what it depends on was skipped and came back", () => {
  const asks = attempt("b", { kind: "blocked", reason: "which colour?" });
  expect(statusOfB(...asks, skipped)).toEqual({ status: "skipped", lastError: "it depends on a, which was skipped" });
  expect(statusOfB(...asks, skipped, back)).toEqual({ status: "conflict", lastError: "which colour?" });
  const again: RunEvent = { type: "resolved", task: "b", how: "retry", commit: null, reason: "again" };
  expect(statusOfB(...asks, again, skipped, back)).toEqual({ status: "pending_retry", lastError: null });
});

test("work that the target lost waits for a person still when what it depends on was skipped and came back", () => {
  const verdict = verdictOf("b", "approved", "b1");
  const landed = { ...landedA, task: "b", branch: "auto/b", branchTip: "b1" };
  const reverted: RunEvent[] = [
    ...ready("a"),
    ...ready("b"),
    { type: "verdict", task: "b", verdict },
    { type: "merged-elsewhere", at: "m1", tasks: [landedA, landed] },
    { type: "taken-back", task: "a", at: "m2", reason: "reverted" },
    { type: "taken-back", task: "b", at: "m2", reason: "reverted too" },
  ];
  expect(statusOfB(...reverted, skipped, back)).toEqual({ status: "conflict", lastError: "reverted too" });
});

test("work that only collided is judged anew when what it depends on was skipped and came back", () => {
  const collides: RunEvent = { type: "conflict", task: "b", commit: "b1", base: "m0", paths: ["f"], against: [] };
  expect(statusOfB(...ready("b"), collides, skipped, back)).toEqual({ status: "ready_for_qa", lastError: null });
});

test("a task comes back when a new plan takes out the dependency for which it was skipped", () => {
  const failed = attempt("a", { kind: "failed", failure: "crashed", reason: "x", retry: false });
  expect(statusOfB(...failed).status).toBe("skipped");
  const without = aPlan([aTask("a"), aTask("b")]);
  expect(statusOfB(...failed, { type: "replanned", plan: without, digest: "d2" })).toEqual({ status: "pending", lastError: null });
});
