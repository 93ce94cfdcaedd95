import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runRig, writes } from "./run-rig.ts";

const agents = { a: writes("a"), b: writes("b"), c: writes("c") };
const tasks = [
  { id: "a", retries: 0 },
  { id: "b", depends_on: ["a"] },
];

test("another target is refused by name, and nothing of the change is taken", async () => {
  const rig = await runRig({ agents, tasks, plan: { base: "main" } });
  rig.repo.git("branch", "release");
  await rig.run({ mode: "one-group" });
  const refused = rig.goOn({ plan: { base: "release", verification: ["false"] } });
  await expect(refused).rejects.toMatchObject({ code: "PLAN_CHANGED", try: expect.stringContaining("put `base` back to main") });
  expect((await rig.goOn()).exit).toBe(0);
  expect(rig.has("b.txt")).toBe(true);
});

test("a task that has begun keeps its work, and may get other checks and retries", async () => {
  const rig = await runRig({ agents: { ...agents, a: "exit 3" }, tasks });
  await rig.run();
  await rig.decide("a", "retry");
  const changed = rig.goOn({ tasks: [{ id: "a", retries: 0, description: "something else" }, ...tasks.slice(1)] });
  await expect(changed).rejects.toMatchObject({ code: "PLAN_CHANGED", try: expect.stringContaining("put a back as it was") });
  await rig.goOn({ tasks: [{ id: "a", retries: 2 }, ...tasks.slice(1), "c"] });
  expect(rig.starts("a")).toBe(1 + 3);
  expect(rig.task("c").status).toBe("done");
});

test("with stricter checks, what waits for its checkout is judged again before it lands", async () => {
  const rig = await runRig({ agents, tasks });
  writeFileSync(join(rig.repo.dir, "a.txt"), "mine\n");
  await rig.run({ mode: "one-group" });
  rig.repo.git("clean", "-fq");
  await rig.goOn({ plan: { verification: ["test ! -f a.txt"] } });
  expect(rig.has("a.txt")).toBe(false);
  expect([rig.task("a").status, rig.task("b").status]).toEqual(["failed", "skipped"]);
});

test("with a mended check, what was blocked goes on, and so does what depends on it", async () => {
  const rig = await runRig({ agents, tasks, plan: { verification: ["exit 1"] } });
  expect((await rig.run()).exit).toBe(5);
  expect(rig.task("a")).toMatchObject({ status: "qa_blocked", slot: null });
  expect((await rig.goOn({ plan: { verification: ["exit 0"] } })).exit).toBe(0);
  expect([rig.has("a.txt"), rig.has("b.txt")]).toEqual([true, true]);
});
