import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JournalLine, Outcome, Plan, RunEvent } from "../../../src/domain/index.ts";
import { nextJobs } from "../../../src/run/next-jobs.ts";
import { foldLine, foldRun, type RunLimits, type TaskFacts } from "../../../src/session/index.ts";
import { freshTask } from "../../../src/session/run-facts.ts";
import { aPlan, aTask, levels, simulate, type World } from "./simulation.ts";

const good: World = { attempt: () => "ready", verify: () => "approved", land: () => "all", pick: () => 0 };
const statuses = (result: ReturnType<typeof simulate>): Record<string, string> =>
  Object.fromEntries([...result.facts.tasks.values()].map((task) => [task.id, task.status]));

describe("what comes next", () => {
  test("an eager landing and a verification that use the same resource are not judged side by side", () => {
    const uses = { contention: "EXCLUSIVE", resources: ["db"] } as const;
    const plan = aPlan([aTask("a", [], uses), aTask("b", [], uses)]);
    const start: RunEvent = {
      type: "run-started",
      run: "r",
      plan: "p",
      planDigest: "d",
      target: "main",
      base: "b",
      mode: "all",
      merge: true,
    };
    const facts = foldRun([{ seq: 1, epoch: 1, at: "", event: start }], plan, { retries: 3, onConflict: [] });
    const set = (id: string, status: TaskFacts["status"]): [string, TaskFacts] => [
      id,
      { ...freshTask(id), status, commit: "c", attempts: 1 },
    ];
    const jobs = nextJobs({
      decision: levels(plan, 2),
      facts: {
        ...facts,
        tasks: new Map([set("a", "qa_approved"), set("b", "ready_for_qa")]),
        groups: new Map([[1, { base: "b", checkpoint: null, startedAt: "", landedTo: null }]]),
      },
      running: [],
      schedule: "eager",
      verifications: 2,
      freeSlots: 2,
      paused: false,
      resting: new Set(),
      defaultAgent: "sh",
      resolverAgent: "sh",
    });
    expect(jobs).toEqual([{ kind: "land", tasks: ["a"] }]);
  });

  test("a group lands whole, then its slots go back, then its checkpoint, then the next group", () => {
    const plan = aPlan([aTask("a"), aTask("b"), aTask("c", ["a"])]);
    const { log } = simulate(plan, levels(plan, 2), good);
    expect(log).toEqual([
      "start-group 1",
      "attempt a",
      "attempt b",
      "verify a",
      "release a",
      "verify b",
      "release b",
      "land",
      "release a",
      "release b",
      "checkpoint 1",
      "start-group 2",
      "attempt c",
      "verify c",
      "release c",
      "land",
      "release c",
      "checkpoint 2",
    ]);
  });

  test("never more agents than the decision allows", () => {
    const plan = aPlan(["a", "b", "c", "d", "e"].map((id) => aTask(id)));
    expect(simulate(plan, levels(plan, 2), good).mostAgents).toBe(2);
  });

  test("one group a session: the next is left, and a resumed session takes exactly it", () => {
    const plan = aPlan([aTask("a"), aTask("b", ["a"]), aTask("c", ["b"])]);
    const decision = levels(plan, 1);
    const first = simulate(plan, decision, good, { mode: "one-group" });
    expect(statuses(first)).toEqual({ a: "done", b: "pending", c: "pending" });
    const resumed = foldLine(
      first.facts,
      { seq: 99, epoch: 2, at: "", event: { type: "run-resumed", mode: "one-group" } },
      { retries: 3, onConflict: ["rerun"] },
    );
    expect(statuses(simulate(plan, decision, good, { from: resumed }))).toEqual({ a: "done", b: "done", c: "pending" });
  });

  test("a failed task's dependents are skipped with the reason, the rest goes on", () => {
    const plan = aPlan([aTask("a"), aTask("b"), aTask("c", ["a"]), aTask("d", ["c"]), aTask("e", ["b"])]);
    const result = simulate(plan, levels(plan, 5), { ...good, attempt: (task) => (task === "a" ? "crash" : "ready") });
    expect(statuses(result)).toEqual({ a: "failed", b: "done", c: "skipped", d: "skipped", e: "done" });
    expect(result.facts.tasks.get("a")?.attempts).toBe(4);
    expect(result.facts.tasks.get("c")?.lastError).toBe("it depends on a, which failed");
  });

  test("a conflict goes to the task's own agent once, then to a person; only what depends on it waits", () => {
    const plan = aPlan([aTask("a"), aTask("b"), aTask("c", ["b"]), aTask("d", ["a"])]);
    const result = simulate(plan, levels(plan, 5), { ...good, verify: (task) => (task === "b" ? "conflict" : "approved") });
    expect(statuses(result)).toEqual({ a: "done", b: "conflict", c: "pending", d: "done" });
    expect(result.facts.tasks.get("b")).toMatchObject({ attempts: 2, tried: ["rerun"], packet: "f", slot: null });
    const resolved = foldLine(
      result.facts,
      { seq: 99, epoch: 2, at: "", event: { type: "resolved", task: "b", how: "commit", commit: "x", reason: "" } },
      { retries: 3, onConflict: ["rerun"] },
    );
    expect(statuses(simulate(plan, levels(plan, 5), good, { from: resolved }))).toEqual({ a: "done", b: "done", c: "done", d: "done" });
  });

  test.each([
    [
      ["rerun", "agent"],
      ["its own", "its own", "a resolver", "a person"],
    ],
    [
      ["agent", "rerun"],
      ["its own", "a resolver", "its own", "a person"],
    ],
    [["agent"], ["its own", "a resolver", "a person"]],
    [[], ["its own", "a person"]],
  ] as const)("a conflict that stays one goes the way of %j, each once", (onConflict, way) => {
    const plan = aPlan([aTask("a"), aTask("b")]);
    const world: World = { ...good, verify: (task) => (task === "b" ? "conflict" : "approved") };
    const { events, facts } = simulate(plan, levels(plan, 5), world, { limits: { retries: 3, onConflict } });
    const seen = events.flatMap((event) => {
      if (event.type === "attempt-started" && event.task === "b") return event.resolves === undefined ? "its own" : "a resolver";
      return event.type === "packet" ? "a person" : [];
    });
    expect(seen).toEqual(way);
    expect(facts.tasks.get("b")).toMatchObject({ status: "conflict", tried: onConflict, resolve: null, failures: 0 });
  });

  test("a resolver that is of no use costs no retry and leaves the commit; the next way is taken", () => {
    const plan = aPlan([aTask("a")]);
    const world: World = { ...good, attempt: (_, n) => (n === 2 ? "crash" : "ready"), verify: (_, n) => (n < 3 ? "conflict" : "approved") };
    const limits: RunLimits = { retries: 0, onConflict: ["agent", "rerun"] };
    const { facts, events } = simulate(plan, levels(plan, 1), world, { limits });
    expect(facts.tasks.get("a")).toMatchObject({ status: "done", tried: ["agent", "rerun"], resolverLeft: "x", failures: 0 });
    expect(events.findLast((event) => event.type === "attempt-started")).not.toHaveProperty("resolves");
    const alone = simulate(plan, levels(plan, 1), world, { limits: { retries: 0, onConflict: ["agent"] } }).facts.tasks.get("a");
    expect(alone).toMatchObject({ status: "conflict", commit: "a@1", lastError: "its work collides with the target in f" });
  });

  test("a resolver that was interrupted or met a rate limit is asked again, and the task's own words stay", () => {
    const plan = aPlan([aTask("a")]);
    const limits: RunLimits = { retries: 0, onConflict: ["agent"] };
    const { facts } = simulate(plan, levels(plan, 1), { ...good, verify: () => "conflict" }, { limits: { ...limits, onConflict: [] } });
    const line = (seq: number, event: RunEvent): JournalLine => ({ seq, epoch: 2, at: "", event });
    const conflict: RunEvent = { type: "conflict", task: "a", commit: "a@1", base: "b", paths: ["f"], against: [] };
    const ended = (outcome: Outcome): RunEvent => ({
      type: "attempt-ended",
      task: "a",
      attempt: 2,
      outcome,
      session: "s",
      usage: null,
      durationMs: 1,
    });
    const after = (...events: RunEvent[]): TaskFacts | undefined =>
      events.reduce((now, event, n) => foldLine(now, line(n + 50, event), limits), facts).tasks.get("a");
    const waits = { status: "pending_retry", resolve: { onto: "b" }, session: null, commit: "a@1", failures: 0 };
    expect(after(conflict, ended({ kind: "interrupted", reason: "" }))).toMatchObject(waits);
    expect(after(conflict, ended({ kind: "rate-limited", reason: "" }))).toMatchObject({ ...waits, rateLimited: 1 });
    const ready: Outcome = { kind: "ready", commit: "m", summary: "its words", notes: [] };
    expect(after(conflict, ended(ready))).toMatchObject({ status: "ready_for_qa", commit: "m", summary: "", session: null, resolve: null });
    expect(after({ ...conflict, reason: "it was reverted" })).toMatchObject({
      status: "conflict",
      tried: [],
      conflictPaths: ["f"],
      personFor: "decision",
    });
  });

  test.each(["rerun", "agent"] as const)("a landing that was cut off is done again before the %s that waits for it", (way) => {
    const plan = aPlan([aTask("a"), aTask("b")]);
    let landings = 0;
    const world: World = { ...good, land: () => (landings++ === 0 ? "cut-off" : "all") };
    const { log } = simulate(plan, levels(plan, 2), world, { limits: { retries: 0, onConflict: [way] } });
    expect(log.slice(log.indexOf("land"))).toEqual([
      "land",
      "land",
      "attempt b",
      "release a",
      "verify b",
      "release b",
      "land",
      "release b",
      "checkpoint 1",
    ]);
  });

  test("EXCLUSIVE tasks on one resource never run side by side, on different ones they do", () => {
    const plan = aPlan([
      aTask("a", [], { contention: "EXCLUSIVE", resources: ["db"] }),
      aTask("b", [], { contention: "EXCLUSIVE", resources: ["db"] }),
      aTask("c", [], { contention: "EXCLUSIVE", resources: ["port"] }),
    ]);
    expect(simulate(plan, levels(plan, 3), good).mostAgents).toBe(2);
  });

  test("without merging, approved is the end", () => {
    const plan = aPlan([aTask("a"), aTask("b", ["a"])]);
    expect(statuses(simulate(plan, levels(plan, 2), good, { merge: false }))).toEqual({ a: "qa_approved", b: "pending" });
  });
});

const plans: fc.Arbitrary<Plan> = fc
  .array(fc.record({ deps: fc.array(fc.nat(20), { maxLength: 3 }), exclusive: fc.boolean() }), { minLength: 1, maxLength: 9 })
  .map((rows) =>
    aPlan(
      rows.map(({ deps, exclusive }, n) =>
        aTask(`t${n}`, n === 0 ? [] : [...new Set(deps.map((dep) => `t${dep % n}`))], exclusive ? { contention: "EXCLUSIVE" } : {}),
      ),
    ),
  );

describe("slots", () => {
  const many: fc.Arbitrary<{ plan: Plan; slots: number; picks: number[] }> = fc
    .record({
      deps: fc.array(fc.array(fc.nat(20), { maxLength: 2 }), { minLength: 1, maxLength: 10 }),
      slots: fc.integer({ min: 1, max: 3 }),
      picks: fc.array(fc.nat(99), { minLength: 5, maxLength: 40 }),
    })
    .map(({ deps, slots, picks }) => ({
      slots,
      picks,
      plan: aPlan(
        deps
          .map((needs, n) =>
            aTask(`t${n}`, n === 0 ? [] : [...new Set(needs.map((one) => `t${one % n}`))], n % 3 === 2 ? { contention: "EXCLUSIVE" } : {}),
          )
          .toReversed(),
      ),
    }));

  test.each(["groups", "eager"] as const)("one to three of them are enough for any plan whose tasks succeed (%s)", (schedule) => {
    fc.assert(
      fc.property(many, ({ plan, slots, picks }) => {
        let at = 0;
        const pick = (n: number): number => (picks[at++ % picks.length] ?? 0) % n;
        const { facts, mostAgents } = simulate(plan, levels(plan, 5), { ...good, pick }, { schedule, slots });
        expect([...facts.tasks.values()].map(({ status }) => status)).toEqual(plan.tasks.map(() => "done"));
        expect(mostAgents).toBeLessThanOrEqual(slots);
      }),
    );
  });

  test("an EXCLUSIVE task of an eager plan starts within two completions, however many FREE ones could start", () => {
    const free = Array.from({ length: 12 }, (_, n) => aTask(`f${n}`));
    const plan = aPlan([...free, aTask("x", [], { contention: "EXCLUSIVE" }), aTask("y", ["f0"], { contention: "EXCLUSIVE" })]);
    const { events } = simulate(plan, levels(plan, 5), good, { schedule: "eager", slots: 2 });
    const startOf = (id: string): number => events.findIndex((event) => event.type === "attempt-started" && event.task === id);
    const endsBetween = (from: number, to: number): number =>
      events.slice(from, to).filter((event) => event.type === "attempt-ended").length;
    const landed = events.findIndex((event) => event.type === "landed" && event.tasks.some(({ task }) => task === "f0"));
    expect(endsBetween(0, startOf("x"))).toBeLessThanOrEqual(2);
    expect(endsBetween(landed, startOf("y"))).toBeLessThanOrEqual(2);
  });
});

describe("whatever agents, QA and merges answer", () => {
  test.each(["groups", "eager"] as const)("the run ends, in order, with every task accounted for (%s)", (schedule) => {
    fc.assert(
      fc.property(plans, fc.array(fc.nat(99), { minLength: 8, maxLength: 64 }), fc.integer({ min: 1, max: 4 }), (plan, dice, agents) => {
        let thrown = 0;
        const onConflict = ([[], ["rerun"], ["rerun", "agent"], ["agent", "rerun"], ["agent"]] as const)[(dice[0] ?? 0) % 5] ?? [];
        const roll = (n: number): number => (dice[thrown++ % dice.length] ?? 0) % n;
        const world: World = {
          attempt: () => (["ready", "ready", "ready", "crash", "blocked"] as const)[roll(5)] ?? "ready",
          verify: () => (["approved", "approved", "approved", "rejected", "blocked", "conflict"] as const)[roll(6)] ?? "approved",
          land: () => (["all", "all", "eject-last", "conflict-last", "cut-off"] as const)[roll(5)] ?? "all",
          pick: (n) => roll(n),
        };
        const result = simulate(plan, levels(plan, agents), world, { schedule, limits: { retries: 3, onConflict } });
        expect(result.mostAgents).toBeLessThanOrEqual(agents);
        const resolved = result.events.flatMap((event) =>
          event.type === "attempt-started" && event.resolves !== undefined ? event.task : [],
        );
        expect(resolved).toHaveLength(new Set(resolved).size);
        const done = new Set<string>();
        for (const event of result.events) {
          if (event.type === "attempt-started")
            for (const dep of plan.tasks.find((task) => task.id === event.task)?.dependsOn ?? []) expect(done).toContain(dep);
          if (event.type === "landed") for (const one of event.tasks) done.add(one.task);
        }
        for (const task of result.facts.tasks.values()) {
          if (["done", "failed", "skipped", "conflict", "qa_blocked"].includes(task.status))
            expect(task.slot === null || task.status === "qa_blocked").toBe(true);
          else {
            expect(task.status).toBe("pending");
            const deps = plan.tasks.find((one) => one.id === task.id)?.dependsOn ?? [];
            expect(deps.some((dep) => result.facts.tasks.get(dep)?.status !== "done")).toBe(true);
          }
        }
        for (const group of result.facts.groups.values()) expect(group.checkpoint).not.toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});
