import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { closingText } from "../../../src/cli/closing.ts";
import { commitFiles, runCli } from "../../fixtures/index.ts";
import { runRig, writes } from "./run-rig.ts";

const part = (id: string): string => `echo ${id} > part.${id}; commit ${id}`;

describe("a tree lands only if it passes every check of every task in it", () => {
  test("a task without checks of its own brings the configured ones into a mixed train", async () => {
    const rig = await runRig({
      files: { "part.0": "base\n" },
      settings: { qa: { checks: [{ name: "suite", run: "test $(cat part.* | wc -l) -lt 3" }] } },
      agents: { a: part("a"), b: part("b") },
      plan: { verification: [] },
      tasks: [
        { id: "a", retries: 0, verification: ["test -f part.a"] },
        { id: "b", retries: 0 },
      ],
    });
    expect((await rig.run()).exit).toBe(4);
    expect([rig.has("part.a"), rig.has("part.b")].filter(Boolean)).toHaveLength(1);
  });

  test("what a train is split into is judged by the checks of all that it holds, and of what landed before", async () => {
    const rig = await runRig({
      agents: { a: writes("a"), b: writes("b"), c: writes("c"), d: writes("d"), e: writes("e") },
      plan: { verification: ["test ! -f a.txt || test ! -f b.txt"] },
      tasks: [
        { id: "a", verification: ["test ! -f d.txt && test ! -f e.txt"] },
        { id: "b", retries: 0 },
        "c",
        { id: "d", retries: 0 },
        { id: "e", retries: 0, depends_on: ["a"] },
      ],
    });
    await rig.run();
    expect(rig.has("a.txt") && (rig.has("d.txt") || rig.has("e.txt"))).toBe(false);
    expect(rig.has("c.txt")).toBe(true);
  });

  test("one whose check cannot run holds up no other one of its train", async () => {
    const rig = await runRig({
      agents: { a: writes("a"), b: writes("b"), c: writes("c") },
      tasks: ["a", { id: "b", retries: 0, verification: ["no-such-program-here"] }, "c"],
    });
    expect((await rig.run()).exit).toBe(5);
    expect([rig.task("a").status, rig.task("b").status, rig.task("c").status]).toEqual(["done", "qa_blocked", "done"]);
  });

  test("tasks that share a resource are verified one at a time, in trains too", async () => {
    const suite = 'mkdir "$CASE/port" 2> /dev/null || { echo >> "$CASE/clash"; exit 1; }; sleep 0.2; rmdir "$CASE/port"';
    const rig = await runRig({
      agents: { a: writes("a"), b: writes("b"), c: writes("c") },
      settings: (folder: string) => ({ qa: { slots: 4 }, pool: { env: { CASE: folder } } }),
      plan: { verification: [suite] },
      tasks: ["a", "b", "c"].map((id) => ({ id, retries: 0, resources: ["port"] })),
    });
    expect((await rig.run()).exit).toBe(0);
    expect(rig.newest().lines.some(({ event }) => event.type === "verdict" && event.verdict.checks.some(({ flaky }) => flaky))).toBe(false);
  });
});

describe("what depends on a task goes back with it", () => {
  const tasks = [
    { id: "a", retries: 0, verification: ["test ! -f forbids-a"] },
    { id: "b", retries: 0, depends_on: ["a"] },
  ];

  test("if the task waited and is rejected on the target as it is now, by `continue`", async () => {
    const rig = await runRig({ agents: { a: writes("a"), b: writes("b") }, tasks });
    writeFileSync(join(rig.repo.dir, "a.txt"), "mine\n");
    expect((await rig.run()).exit).toBe(5);
    rig.repo.git("clean", "-fq");
    commitFiles(rig.repo.dir, { "forbids-a": "1\n" });
    await rig.goOn();
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["failed", "skipped"]);
    expect([rig.has("a.txt"), rig.has("b.txt")]).toEqual([false, false]);
    await rig.decide("a", "retry");
    expect(rig.task("b")).toMatchObject({ status: "ready_for_qa", skippedFor: null });
  });

  test("if the target moves while the dependent's agent is at work", async () => {
    const b = 'echo b > b.txt; commit b; (cd "$R"; rm a.txt; echo 1 > forbids-a; commit "forbids a")';
    const rig = await runRig({ agents: { a: writes("a"), b }, tasks });
    writeFileSync(join(rig.repo.dir, "a.txt"), "mine\n");
    await rig.run();
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["failed", "skipped"]);
    expect(rig.repo.git("log", "--format=%s", "main")).not.toMatch(/^[ab]$/m);
  });

  test("what a person took with the printed command counts as merged, whatever its check says of the target now", async () => {
    const b =
      'echo b > b.txt; commit b; (cd "$R"; rm a.txt; git merge -q --ff-only --no-overwrite-ignore "refs/graftwork/merged/$GRAFTWORK_RUN"; echo 1 > forbids-a; commit later)';
    const rig = await runRig({ agents: { a: writes("a"), b }, tasks });
    writeFileSync(join(rig.repo.dir, "a.txt"), "mine\n");
    expect((await rig.run()).exit).toBe(0);
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["done", "done"]);
  });

  test("a chain that is listed with its dependents first is skipped whole, and the run is at its end", async () => {
    const chain = ["e", "d", "c", "b"].map((id, n) => ({ id, depends_on: [["d", "c", "b", "a"][n] ?? ""] }));
    const rig = await runRig({ agents: { a: "exit 3" }, tasks: [...chain, { id: "a", retries: 0 }] });
    expect((await rig.run()).exit).toBe(4);
    for (const id of ["b", "c", "d", "e"]) expect(rig.task(id)).toMatchObject({ status: "skipped" });
    await expect(rig.goOn()).rejects.toMatchObject({ code: "NOTHING_TO_CONTINUE" });
  });
});

describe("approved work without merging", () => {
  test("waits for a person, lands by the same road when asked, and the run goes on from there", async () => {
    const rig = await runRig({ agents: { d: writes("d"), e: writes("e") }, tasks: ["d", { id: "e", depends_on: ["d"] }] });
    expect((await rig.run({ merge: false })).exit).toBe(5);
    expect([rig.task("d").status, rig.task("e").status]).toEqual(["qa_approved", "pending"]);
    expect(await rig.land("d")).toMatchObject({ merged: ["auto/d"], failed: [], exit: 0 });
    expect(rig.has("d.txt")).toBe(true);
    expect((await rig.goOn()).exit).toBe(0);
    expect(rig.task("e").status).toBe("qa_approved");
    expect(await rig.land("e")).toMatchObject({ merged: ["auto/e"], exit: 0 });
    expect(rig.events("attempt-started")).toHaveLength(2);
  });

  test("does not land before what it depends on", async () => {
    const rig = await runRig({ agents: { d: writes("d"), e: writes("e") }, tasks: ["d", { id: "e", depends_on: ["d"] }] });
    await rig.run({ merge: false });
    expect(await rig.land("e")).toMatchObject({ merged: [], failed: [{ waitsFor: ["d"] }], exit: 4 });
  });
});

test("merge says that there is nothing to do once all has landed, also if only the plan has checks", async () => {
  const rig = await runRig({ agents: { a: writes("a") }, tasks: ["a"] });
  expect((await rig.run()).exit).toBe(0);
  expect((await runCli(["merge"], { cwd: rig.repo.dir })).code).toBe(0);
});

test("approved work is not offered for a merge while what it depends on waits for a person", async () => {
  const b = 'echo b > b.txt; commit b; git -C "$R" reset -q --hard HEAD~1';
  const rig = await runRig({ agents: { a: writes("a"), b }, tasks: ["a", { id: "b", depends_on: ["a"] }] });
  const text = closingText(await rig.run(), { width: 80, unicode: true });
  expect([rig.task("a").status, rig.task("b").status]).toEqual(["conflict", "qa_approved"]);
  expect(text).toContain("b: waits for a");
  expect(text).not.toContain("graftwork merge b");
});
