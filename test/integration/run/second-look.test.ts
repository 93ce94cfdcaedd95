import { expect, test } from "vitest";
import { runRig, writes } from "./run-rig.ts";

const needs = (file: string): string => `test ! -f user.txt || test -f ${file}`;

test.each([0, 2])("work that needs a sibling's code, which nobody declared, lands once that is in (retries %i)", async (retries) => {
  const rig = await runRig({
    agents: { user: "[ -f user.txt ] || { echo u > user.txt; commit user; }", lib: writes("lib"), last: writes("last") },
    plan: { verification: [needs("lib.txt")] },
    tasks: [
      { id: "user", retries },
      { id: "lib", retries },
      { id: "last", retries, depends_on: ["user"] },
    ],
  });
  expect((await rig.run()).exit).toBe(0);
  expect(["user", "lib", "last"].map((id) => rig.has(`${id}.txt`))).toEqual([true, true, true]);
  // Its agent was told of the rejection once and stood by its commit.
  expect(rig.starts("user")).toBe(retries === 0 ? 1 : 2);
  const types = rig.newest().lines.map(({ event }) => event.type);
  const restarted = rig
    .newest()
    .lines.slice(types.indexOf("second-look"))
    .filter(({ event }) => event.type === "attempt-started" && event.task !== "last");
  expect(restarted).toEqual([]);
  expect(rig.facts().warnings.join()).toContain("depends_on: [lib]");
});

test("two that need each other land together", async () => {
  const both = "test ! -f x.txt || test -f y.txt; a=$?; test ! -f y.txt || test -f x.txt; exit $((a + $?))";
  const rig = await runRig({
    agents: { x: writes("x"), y: writes("y"), z: writes("z") },
    plan: { verification: [both] },
    tasks: ["x", "y", "z"].map((id) => ({ id, retries: 0 })),
  });
  expect((await rig.run()).exit).toBe(0);
  expect([rig.has("x.txt"), rig.has("y.txt")]).toEqual([true, true]);
});

test("what is wrong fails all the same, with both results, and only what depends on it is skipped", async () => {
  const rig = await runRig({
    agents: { bad: writes("bad"), good: writes("good"), after: writes("after") },
    plan: { verification: ["test ! -f bad.txt"] },
    tasks: [{ id: "bad", retries: 0 }, "good", { id: "after", depends_on: ["bad"] }],
  });
  expect((await rig.run()).exit).toBe(4);
  expect(rig.task("bad")).toMatchObject({ status: "failed", lastError: expect.stringMatching(/failed[^]*looked at again on \w{12}/) });
  expect([rig.task("good").status, rig.task("after").status]).toEqual(["done", "skipped"]);
});
