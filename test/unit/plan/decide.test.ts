import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { criticalPath, decide, dependentsOf, globsMayOverlap, topologicalOrder } from "../../../src/plan/index.ts";
import { planOf, task } from "./plan-fixture.ts";

const limits = { enabled: true, minTasks: 3, maxAgents: 5 };
const groupsOf = (...args: Parameters<typeof decide>) => decide(...args).groups.map((group) => group.tasks);

describe("the mode", () => {
  const free = (n: number) => planOf(...Array.from({ length: n }, (_, i) => task(`t${i}`, { files: [`f${i}`] })));

  test("is PARALLEL from min_tasks independent tasks on", () => {
    expect(decide(free(3), limits)).toMatchObject({ mode: "PARALLEL", agents: 3, reason: "3 independent files detected", warnings: [] });
    expect(decide(free(8), limits)).toMatchObject({ mode: "PARALLEL", agents: 5 });
  });

  test("counts before a group is split", () => {
    expect(decide(free(5), { ...limits, minTasks: 5, maxAgents: 2 })).toMatchObject({ mode: "PARALLEL", agents: 2 });
  });

  test.for<[reason: string, plan: ReturnType<typeof planOf>, more: object]>([
    ["Only 2 independent tasks (min_tasks is 3)", free(2), {}],
    ["Only 1 task (min_tasks is 3)", free(1), {}],
    ["parallelization.enabled is false", free(9), { enabled: false }],
    ["All 2 tasks wait for one another (min_tasks is 3)", planOf(task("a"), task("b", { dependsOn: ["a"] })), {}],
    ["All 3 tasks write the same files (min_tasks is 3)", planOf(...["a", "b", "c"].map((id) => task(id, { files: ["x"] }))), {}],
    [
      "Only 2 of 3 tasks can run side by side: the others wait for them (min_tasks is 3)",
      planOf(task("a"), task("b"), task("c", { dependsOn: ["a"] })),
      {},
    ],
    [
      "Only 2 of 3 tasks can run side by side: the others write the same files (min_tasks is 3)",
      planOf(task("a", { files: ["x"] }), task("b", { files: ["x"] }), task("c", { files: ["y"] })),
      {},
    ],
  ])("is SEQUENTIAL: %s", ([reason, plan, more]) => {
    expect(decide(plan, { ...limits, ...more })).toMatchObject({ mode: "SEQUENTIAL", reason, agents: 1 });
  });
});

describe("groups", () => {
  test("follow the levels of dependencies", () => {
    const plan = planOf(
      task("ui", { dependsOn: ["types"] }),
      task("types"),
      task("e2e", { dependsOn: ["ui", "api"] }),
      task("api", { dependsOn: ["types"] }),
    );
    expect(groupsOf(plan, limits)).toEqual([["types"], ["ui", "api"], ["e2e"]]);
  });

  test("keep tasks apart whose files may overlap", () => {
    const plan = planOf(task("a", { files: ["src/**"] }), task("b", { files: ["src/x.ts"] }), task("c", { files: ["test/**"] }), task("d"));
    expect(groupsOf(plan, limits)).toEqual([["a", "c", "d"], ["b"]]);
  });

  test("are split at max_agents and numbered on", () => {
    const plan = planOf(...["a", "b", "c", "d", "e"].map((id) => task(id)), task("z", { dependsOn: ["e"] }));
    expect(decide(plan, { ...limits, maxAgents: 2 }).groups).toEqual([
      { number: 1, tasks: ["e", "a"] },
      { number: 2, tasks: ["b", "c"] },
      { number: 3, tasks: ["d"] },
      { number: 4, tasks: ["z"] },
    ]);
  });

  test("begin with what most work waits for, and end with EXCLUSIVE tasks in plan order", () => {
    const exclusive = { contention: "EXCLUSIVE" } as const;
    const plan = planOf(
      task("x", exclusive),
      task("a"),
      task("y", exclusive),
      task("b"),
      task("c", { dependsOn: ["b", "y"] }),
      task("d", { dependsOn: ["c"] }),
    );
    expect(groupsOf(plan, limits)[0]).toEqual(["b", "a", "x", "y"]);
  });

  test("warn of tasks that declare no files", () => {
    const plan = planOf(task("a"), task("b", { files: ["x"] }), task("c"));
    expect(decide(plan, limits).warnings).toEqual(["2 tasks without `files`, taken to overlap with none: a, c"]);
  });

  const plans = fc
    .array(
      fc.record({
        files: fc.array(fc.constantFrom("a.ts", "src/a.ts", "src/**", "src/*.ts", "lib/x", "lib", "**/*.md", "docs/a.md", "c.css"), {
          maxLength: 2,
        }),
        deps: fc.array(fc.nat(30), { maxLength: 3 }),
        exclusive: fc.boolean(),
      }),
      { minLength: 1, maxLength: 30 },
    )
    .map((rows) => {
      const tasks = rows.map(({ files, deps, exclusive }, i) =>
        task(`t${i}`, {
          files,
          dependsOn: [...new Set(deps.filter((d) => d < i).map((d) => `t${d}`))],
          contention: exclusive ? "EXCLUSIVE" : "FREE",
        }),
      );
      // Dependencies point backwards by construction; the order in the plan must not matter for that.
      return planOf(...tasks.toReversed());
    });

  test("hold every task once, after what it depends on, beside nothing it may overlap with, within the limit", () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 6 }), (plan, maxAgents) => {
        const decision = decide(plan, { ...limits, maxAgents });
        const groupOf = new Map(decision.groups.flatMap((group) => group.tasks.map((id) => [id, group.number] as const)));
        const byId = new Map(plan.tasks.map((one) => [one.id, one]));
        expect(decision.groups.flatMap((group) => group.tasks).toSorted()).toEqual(plan.tasks.map(({ id }) => id).toSorted());
        expect(decision.groups.map((group) => group.number)).toEqual(decision.groups.map((_, i) => i + 1));
        for (const one of plan.tasks) for (const id of one.dependsOn) expect(groupOf.get(id)).toBeLessThan(groupOf.get(one.id) ?? 0);
        for (const { tasks } of decision.groups) {
          expect(tasks.length).toBeLessThanOrEqual(maxAgents);
          const files = tasks.map((id) => byId.get(id)?.files ?? []);
          for (const [i, mine] of files.entries()) {
            for (const other of files.slice(i + 1)) expect(mine.some((a) => other.some((b) => globsMayOverlap(a, b)))).toBe(false);
          }
        }
        expect(decide(plan, { ...limits, maxAgents })).toEqual(decision);
      }),
      { numRuns: 300 },
    );
  });

  test("of 20,000 tasks come in no time that grows with their pairs", () => {
    const chain = planOf(
      ...Array.from({ length: 20_000 }, (_, i) => task(`t${i}`, { files: [`f${i}`], dependsOn: i === 0 ? [] : [`t${i - 1}`] })),
    );
    expect(decide(chain, limits).groups).toHaveLength(20_000);
    const wide = planOf(...Array.from({ length: 20_000 }, (_, i) => task(`t${i}`, { files: [`src/m${i % 300}/f${i}.ts`] })));
    expect(decide(wide, limits).groups).toHaveLength(4000);
    const same = planOf(...Array.from({ length: 20_000 }, (_, i) => task(`t${i}`, { files: ["one.ts"] })));
    expect(decide(same, limits).groups).toHaveLength(20_000);
  });
});

describe("order", () => {
  const diamond = planOf(
    task("d", { dependsOn: ["b", "c"] }),
    task("c", { dependsOn: ["a"] }),
    task("x"),
    task("b", { dependsOn: ["a"] }),
    task("a"),
  );

  test("is that of the plan wherever dependencies leave it", () => {
    expect(topologicalOrder(diamond.tasks).map(({ id }) => id)).toEqual(["x", "a", "c", "b", "d"]);
  });

  test("looks away from dependencies outside the tasks given", () => {
    expect(topologicalOrder([{ id: "a", dependsOn: ["elsewhere"] }])).toHaveLength(1);
  });

  test("of a circle is a defect of the caller", () => {
    expect(() => topologicalOrder([{ id: "a", dependsOn: ["a"] }])).toThrow("in a circle");
  });

  test("dependents are found at any distance", () => {
    expect(dependentsOf(diamond, "a")).toEqual(["d", "c", "b"]);
    expect(dependentsOf(diamond, "d")).toEqual([]);
  });

  test("the critical path is a longest chain", () => {
    expect(criticalPath(diamond)).toEqual(["a", "c", "d"]);
    expect(criticalPath(planOf())).toEqual([]);
  });
});
