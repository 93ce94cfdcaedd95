import { describe, expect, test } from "vitest";
import { acquireSlot, existingStore, processOwner } from "../../../src/pool/index.ts";
import { type Rig, runRig, writes } from "./run-rig.ts";

const contextOf = (rig: Rig, run: string) => ({
  repository: rig.repository,
  settings: rig.newest().record.config.pool,
  owner: processOwner(run),
  run,
  now: () => new Date(),
  narrate: () => undefined,
});

describe("a slot is held only while a task works", () => {
  test.each(["groups", "eager"] as const)("two slots are enough for any plan, and none is held at its end (%s)", async (schedule) => {
    const ids = ["a", "b", "c", "d", "e"];
    const rig = await runRig({
      agents: Object.fromEntries(ids.map((id) => [id, writes(id)])),
      settings: { schedule, parallelization: { max_agents: 2, min_tasks: 2 } },
      tasks: [
        "a",
        "b",
        { id: "c", depends_on: ["a"] },
        { id: "d", depends_on: ["c"] },
        { id: "e", depends_on: ["b"], contention: "EXCLUSIVE" },
      ],
    });
    expect((await rig.run()).exit).toBe(0);
    expect(ids.map((id) => rig.has(`${id}.txt`))).toEqual(ids.map(() => true));
    const { slots } = existingStore(rig.repository).read().state;
    expect(slots.map(({ status }) => status)).toEqual(["idle", "idle"]);
  });

  test("a run beside another run's lease has slots of its own", async () => {
    const work = (id: string): string => `echo "$GRAFTWORK_RUN" > ${id}.txt; commit ${id}`;
    const rig = await runRig({ agents: { a: work("a"), b: work("b") }, tasks: ["a", "b"] });
    expect((await rig.run()).exit).toBe(0);
    const other = contextOf(rig, "other");
    await acquireSlot(other, { task: "theirs" });
    expect((await rig.run()).exit).toBe(0);
    const { slots } = existingStore(rig.repository).read().state;
    expect(slots.filter(({ lease }) => lease !== null).map(({ lease }) => lease?.task)).toEqual(["theirs"]);
  });
});

describe("trouble while slots are made ready", () => {
  const outage = (times: number) => (folder: string) => ({
    pool: { setup: [`echo >> '${folder}/tries'; [ $(wc -l < '${folder}/tries') -gt ${times} ] || { echo "registry is away"; exit 1; }`] },
  });
  const files = { "package.json": '{ "name": "x", "version": "1.0.0" }\n' };
  const tasks = [
    { id: "a", retries: 0 },
    { id: "b", retries: 0, depends_on: ["a"] },
  ];

  test("that passes costs no task an attempt", async () => {
    const rig = await runRig({ files, agents: { a: writes("a"), b: writes("b") }, settings: outage(3), tasks });
    expect((await rig.run()).exit).toBe(0);
    expect([rig.task("a").attempts, rig.task("b").attempts]).toEqual([1, 1]);
  });

  test("that lasts blocks the run once, fails nobody, and `continue` goes on when it has passed", async () => {
    const rig = await runRig({ files, agents: { a: writes("a"), b: writes("b") }, settings: outage(5), tasks });
    const end = await rig.run();
    expect(end).toMatchObject({ exit: 5, facts: { environment: expect.stringContaining("registry is away") } });
    expect([rig.task("a").status, rig.task("b").status, rig.starts("a")]).toEqual(["pending", "pending", 0]);
    expect((await rig.goOn()).exit).toBe(0);
  });
});
