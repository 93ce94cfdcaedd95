import { expect, test } from "vitest";
import type { RunEvent } from "../../../src/domain/index.ts";
import { nextJobs } from "../../../src/run/next-jobs.ts";
import { foldLine, foldRun } from "../../../src/session/index.ts";
import { aPlan, aTask, firstLine, levels, verdictOf } from "./simulation.ts";

test("a task that was rejected before its slot went back gives it back before its next attempt", () => {
  const plan = aPlan([aTask("a")]);
  const limits = { retries: 2, onConflict: [] };
  const about = { task: "a", attempt: 1 };
  const events: RunEvent[] = [
    { type: "group-started", group: 1, base: "b" },
    { type: "attempt-started", ...about, slot: "wt-1", token: 1, branch: "auto/a", base: "b", agent: "mock", log: "l" },
    {
      type: "attempt-ended",
      ...about,
      outcome: { kind: "ready", commit: "c", summary: "", notes: [] },
      session: null,
      usage: null,
      durationMs: 1,
    },
    { type: "verdict", task: "a", verdict: verdictOf("a", "rejected", "c") },
  ];
  const next = (more: readonly RunEvent[]): string[] => {
    const lines = [...events, ...more].map((event, index) => ({ seq: index + 2, epoch: 1, at: "", event }));
    const facts = lines.reduce((before, line) => foldLine(before, line, limits), foldRun([firstLine()], plan, limits));
    const settings = { verifications: 1, freeSlots: 4, paused: false, resting: new Set<string>() } as const;
    const agents = { defaultAgent: "mock", resolverAgent: "mock" };
    return nextJobs({ decision: levels(plan, 1), facts, running: [], schedule: "groups", ...settings, ...agents }).map(({ kind }) => kind);
  };
  expect(next([])).toEqual(["release"]);
  expect(next([{ type: "slot-released", task: "a", slot: "wt-1", rescue: null }])).toEqual(["attempt"]);
});
