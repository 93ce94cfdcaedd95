import { expect, test } from "vitest";
import { aPlan, aTask, levels, simulate, type World } from "./simulation.ts";

/** `b` is rejected on every target but the last, and `a` lands. */
const world: World = {
  attempt: (task, n) => (task === "b" && n > 1 ? "crash" : "ready"),
  verify: (task) => (task === "b" ? "rejected" : "approved"),
  land: () => "all",
  secondLook: () => "approved",
  pick: () => 0,
};
const plan = aPlan([aTask("a"), aTask("b")]);

test("a rejected task whose later attempts crash gets a second look once its retries are spent", () => {
  const { facts, log } = simulate(plan, levels(plan, 2), world, { limits: { retries: 2, onConflict: [] } });
  expect(facts.tasks.get("b")).toMatchObject({ status: "done", attempts: 3 });
  expect(log.slice(log.indexOf("second-look"))).not.toContain("attempt b");
});

test("a task that fails its second look tells of its rejection, its last attempt and the second look", () => {
  const { facts } = simulate(plan, levels(plan, 2), { ...world, secondLook: () => "rejected" }, { limits: { retries: 1, onConflict: [] } });
  const task = facts.tasks.get("b");
  expect(task?.status).toBe("failed");
  expect(task?.lastError).toMatch(/^rejected\nits last attempt after that: x\nlooked at again on t1: rejected$/);
});

test("a task that crashes without ever being rejected gets no second look", () => {
  const { facts, log } = simulate(plan, levels(plan, 2), { ...world, attempt: (task) => (task === "b" ? "crash" : "ready") });
  expect(facts.tasks.get("b")?.status).toBe("failed");
  expect(log).not.toContain("second-look");
});
