import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commitFiles, hermeticEnv, runCli } from "../../fixtures/index.ts";
import { type Rig, runRig, writes } from "./run-rig.ts";

const tasks = ["a", { id: "b", depends_on: ["a"] }];
const agents = { a: writes("a"), b: writes("b") };

async function oneGroup(): Promise<Rig> {
  const rig = await runRig({ agents, tasks });
  expect((await rig.run({ mode: "one-group" })).exit).toBe(0);
  expect(rig.has("a.txt")).toBe(true);
  return rig;
}

describe("what the target lost stays lost, and a person is asked", () => {
  test.each([
    ["a reset", (rig: Rig) => rig.repo.git("reset", "-q", "--hard", "HEAD~1"), /held its work and holds it no longer/],
    ["a revert", (rig: Rig) => rig.repo.git("revert", "--no-edit", "-m", "1", "HEAD"), /was reverted on main by/],
  ])("after %s", async (_, takeBack, why) => {
    const rig = await oneGroup();
    takeBack(rig);
    expect((await rig.goOn()).exit).toBe(5);
    expect(rig.task("a")).toMatchObject({
      status: "conflict",
      lastError: expect.stringMatching(why),
      packet: expect.stringContaining("/a"),
    });
    expect(rig.task("b").status).toBe("pending");
    expect([rig.has("a.txt"), rig.has("b.txt")]).toEqual([false, false]);
    await rig.decide("a", "retry");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.has("b.txt"), rig.starts("a")]).toEqual([true, true, 2]);
  });

  test("while the run is at work, also if the target is back where the run looked at it before", async () => {
    const rig = await runRig({
      agents,
      tasks,
      onEvent: ({ type }, repo) => void (type === "landed" && repo.git("reset", "-q", "--hard", "main^")),
    });
    expect((await rig.run()).exit).toBe(5);
    expect([rig.task("a").status, rig.has("a.txt"), rig.has("b.txt")]).toEqual(["conflict", false, false]);
  });

  test.each([
    ["amended", ["commit", "-q", "--amend", "-m", "in other words"]],
    ["rebased", ["rebase", "-q", "--no-ff", "HEAD~1"]],
  ])("a landing that was %s is still there", async (_, command) => {
    const rig = await oneGroup();
    rig.repo.git(...command);
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.task("a").status, rig.has("b.txt")]).toEqual(["done", true]);
  });

  const merged = (rig: Rig) => rig.repo.git("merge", "-q", "--no-ff", "--no-commit", "auto/a");
  const squashed = (rig: Rig) => rig.repo.git("merge", "-q", "--squash", "auto/a");
  const picked = (rig: Rig) => rig.repo.git("cherry-pick", "--no-commit", "auto/a");
  const reverted = (rig: Rig) => rig.repo.git("revert", "--no-edit", "HEAD");
  const reset = (rig: Rig) => rig.repo.git("reset", "-q", "--hard", "HEAD~1");
  const replaced = (rig: Rig) => {
    reset(rig);
    commitFiles(rig.repo.dir, { "other.txt": "other\n" });
  };
  test.each([
    ["merged", "reset", merged, reset],
    ["squashed", "reset", squashed, reset],
    ["squashed", "reverted", squashed, reverted],
    ["picked", "replaced", picked, replaced],
  ] as const)("work that waits is asked about, once, if a person %s and %s it", async (_how, _off, brings, takes) => {
    const rig = await runRig({ agents: { a: writes("a") }, tasks: ["a"] });
    writeFileSync(join(rig.repo.dir, "a.txt"), "mine\n");
    expect((await rig.run()).exit).toBe(5);
    rmSync(join(rig.repo.dir, "a.txt"));
    brings(rig);
    // Now: the same change of before the work would be another attempt's.
    execFileSync("git", ["commit", "-q", "-m", "by hand"], { cwd: rig.repo.dir, env: hermeticEnv() });
    takes(rig);
    expect((await rig.goOn()).exit).toBe(5);
    expect([rig.task("a").status, rig.has("a.txt")]).toEqual(["conflict", false]);
    await rig.decide("a", "retry");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.starts("a"), rig.has("a.txt")]).toEqual([2, true]);
  });

  test("a task whose landing waits lands by its name once nothing is in its way", async () => {
    const rig = await runRig({ agents: { a: writes("a") }, tasks: ["a"] });
    writeFileSync(join(rig.repo.dir, "a.txt"), "mine\n");
    expect((await rig.run()).exit).toBe(5);
    rmSync(join(rig.repo.dir, "a.txt"));
    expect(await rig.land("a")).toMatchObject({ merged: ["auto/a"], exit: 0 });
    expect(rig.has("a.txt")).toBe(true);
  });

  const rejectedOnce = { a: "echo 2 > two.txt; commit two", "a.1": "echo 1 > one.txt; commit one" };
  const twice = {
    agents: rejectedOnce,
    tasks: [{ id: "a", retries: 1 }],
    plan: { verification: ["test ! -f one.txt || test -f two.txt"] },
  };

  test.each(["--ff-only", "--no-ff"])(
    "work of which a person merged (%s) and reset the first half lands whole, or not at all",
    async (how) => {
      const rig = await runRig({
        ...twice,
        agents: { ...rejectedOnce, a: `(cd "$R"; git merge -q ${how} auto/a; git reset -q --hard HEAD~1); ${rejectedOnce.a}` },
      });
      expect((await rig.run()).exit).toBe(5);
      expect([rig.task("a").status, rig.has("one.txt"), rig.has("two.txt")]).toEqual(["conflict", false, false]);
      expect(await runCli(["resolve", "a", "--done"], { cwd: rig.repo.dir })).toMatchObject({ code: 0 });
      expect((await rig.goOn()).exit).toBe(0);
      expect([rig.has("one.txt"), rig.has("two.txt")]).toEqual([true, true]);
    },
  );

  test("what an agent put on the target and was put back counts as never held, also if it was seen there", async () => {
    const seen = 'until grep -q \'"verdict","task":"b"\' "$R"/.git/graftwork/runs/*/journal*; do sleep 0.1; done';
    const rig = await runRig({
      tasks: [{ id: "a", retries: 2 }, "b"],
      plan: { base: "main" },
      settings: { parallelization: { min_tasks: 2 } },
      agents: {
        "a.1": `echo 1 > one.txt; commit one; git update-ref refs/heads/main HEAD; touch "$R/../moved"; ${seen}; echo 2 > two.txt; commit two`,
        a: "echo 3 > three.txt; commit three",
        b: 'until [ -e "$R/../moved" ]; do sleep 0.1; done; echo b > b.txt; commit b',
      },
    });
    rig.repo.git("checkout", "-q", "--detach");
    expect((await rig.run()).exit).toBe(0);
    expect(["one.txt", "two.txt", "three.txt"].map(rig.has)).toEqual([true, true, true]);
  });

  test("an ended run whose work the target lost asks again, and takes each answer", async () => {
    const rig = await runRig({ agents: { a: writes("a") }, tasks: ["a"] });
    expect((await rig.run()).exit).toBe(0);
    rig.repo.git("reset", "-q", "--hard", "HEAD~1");
    expect(await rig.land("a")).toMatchObject({ exit: 5, failed: [{ next: expect.stringContaining("graftwork continue") }] });
    expect((await rig.goOn()).exit).toBe(5);
    expect(rig.task("a").packet).toContain("/a");
    expect(await runCli(["resolve", "a", "--skip"], { cwd: rig.repo.dir })).toMatchObject({ code: 0 });
    expect([rig.task("a").status, rig.has("a.txt")]).toEqual(["skipped", false]);
  });

  test("landed work of several commits is still there after a rebase that flattened its merge", async () => {
    const rig = await runRig({
      agents: { a: "echo 1 > one.txt; commit one; echo 2 > two.txt; commit two", b: writes("b") },
      tasks: ["a", { id: "b", depends_on: ["a"] }],
    });
    await rig.run({ mode: "one-group" });
    rig.repo.git("rebase", "-q", "--force-rebase", "HEAD~1");
    rig.repo.git("commit", "-q", "--allow-empty", "-m", "mine");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.task("a").status, rig.has("b.txt")]).toEqual(["done", true]);
  });

  test("what a branch began on does not come back if the user reset it away and its reflog is gone", async () => {
    const agents = {
      a: 'echo a > a.txt; commit a; cd "$R"; echo s > s.txt; git add s.txt; git commit -qm secret',
      b: 'echo b > b.txt; commit b; cd "$R"; git reset -q --hard HEAD~1; git reflog expire --expire=now --all',
    };
    const rig = await runRig({ agents, tasks: ["a", "b"], settings: { parallelization: { enabled: false } } });
    expect((await rig.run()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.has("b.txt"), rig.has("s.txt")]).toEqual([true, true, false]);
  });

  test("a branch that began on a commit that was amended away brings its own changes alone", async () => {
    const b = 'echo b > b.txt; commit b; (cd "$R"; git rm -q key; git commit -q --amend -m begin)';
    const rig = await runRig({ files: { key: "secret\n" }, agents: { b }, tasks: ["b"] });
    const before = rig.repo.git("rev-parse", "main");
    expect((await rig.run()).exit).toBe(0);
    expect([rig.has("b.txt"), rig.has("key")]).toEqual([true, false]);
    expect(() => rig.repo.git("merge-base", "--is-ancestor", before, "main")).toThrow();
  });

  test("a branch that was rebased onto what the user amended since brings its own changes alone, and nobody is asked", async () => {
    const amend = 'cd "$R"; git rm -q secret; git commit -q --amend -m keep';
    const rig = await runRig({
      agents: {
        a: `(cd "$R"; echo k > keep; echo s > secret; git add keep secret; git commit -qm all); ${writes("a")}; git rebase -q main; (${amend})`,
      },
      tasks: ["a"],
    });
    expect((await rig.run()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.has("keep"), rig.has("secret")]).toEqual([true, true, false]);
  });

  test("a branch that merged the target in mid-task does not bring back what the target lost since", async () => {
    const a =
      'echo 1 > one.txt; commit one; (cd "$R"; echo k > key; commit key); git merge -q --no-edit main; echo 2 > two.txt; commit two; (cd "$R"; git reset -q --hard HEAD~1)';
    const rig = await runRig({ agents: { a }, tasks: ["a"] });
    expect((await rig.run()).exit).toBe(0);
    expect([rig.has("one.txt"), rig.has("two.txt"), rig.has("key")]).toEqual([true, true, false]);
    expect(rig.repo.git("log", "--format=%s", "main")).not.toMatch(/^key$/m);
  });

  test("a merge of it that somebody changed lines in goes to a person, with the commit named", async () => {
    const a =
      'echo 1 > one.txt; commit one; (cd "$R"; echo k > key; commit key); git merge -q --no-commit main; echo more > f; commit "merge and more"; (cd "$R"; git reset -q --hard HEAD~1)';
    const rig = await runRig({ agents: { a }, tasks: ["a"] });
    expect((await rig.run()).exit).toBe(5);
    expect(rig.task("a")).toMatchObject({
      status: "conflict",
      lastError: expect.stringMatching(/changed lines itself \(\w{12} merge and more\)/),
    });
    expect(rig.has("one.txt")).toBe(false);
  });

  test("work that another hand merged, and reverted, goes to a person; merged and left, it is done", async () => {
    const rig = await runRig({ agents, tasks });
    await rig.run({ merge: false });
    rig.repo.git("merge", "-q", "--no-ff", "-m", "by hand", "auto/a");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["done", "qa_approved"]);
    rig.repo.git("merge", "-q", "--no-ff", "-m", "by hand", "auto/b");
    rig.repo.git("revert", "--no-edit", "-m", "1", "HEAD");
    expect(await rig.land("b")).toMatchObject({ merged: [], exit: 5 });
    expect(rig.task("b")).toMatchObject({ status: "conflict", lastError: expect.stringContaining("reverted there by") });
  });
});

describe("work that was taken off the target", () => {
  const revertBoth = (rig: Rig) => {
    for (const at of ["HEAD", "HEAD~1"]) rig.repo.git("revert", "--no-commit", "-m", "1", at);
    commitFiles(rig.repo.dir, { log: "both are off\n" });
  };
  test("with the work of another task in one commit is asked about, and what depends on it waits", async () => {
    const rig = await runRig({ agents: { ...agents, other: writes("other") }, tasks: ["a", "other", { id: "b", depends_on: ["a"] }] });
    await rig.run({ mode: "one-group" });
    revertBoth(rig);
    expect((await rig.goOn()).exit).toBe(5);
    expect([rig.task("a").status, rig.task("other").status, rig.has("b.txt")]).toEqual(["conflict", "conflict", false]);
  });

  test("by an amend of another task's landing is asked about, and what depends on it waits", async () => {
    const rig = await runRig({ agents: { ...agents, other: writes("other") }, tasks: ["a", "other", { id: "b", depends_on: ["a"] }] });
    await rig.run({ mode: "one-group" });
    expect(rig.repo.git("log", "-1", "--format=%s", "main")).toContain("auto/other");
    rig.repo.git("rm", "-q", "a.txt");
    rig.repo.git("commit", "-q", "--amend", "--no-edit");
    expect((await rig.goOn()).exit).toBe(5);
    expect([rig.task("a").status, rig.task("other").status, rig.task("b").status]).toEqual(["conflict", "done", "pending"]);
  });

  test("after a landing that found it squashed there is asked about, and what depends on it waits", async () => {
    const two = "echo 1 > one.txt; commit one; echo 2 > two.txt; commit two";
    const rig = await runRig({ agents: { a: two, b: writes("b") }, tasks });
    await rig.run({ mode: "one-group", merge: false });
    rig.repo.git("merge", "-q", "--squash", "auto/a");
    const squash = commitFiles(rig.repo.dir, {});
    await rig.land("a");
    expect(rig.task("a").status).toBe("done");
    rig.repo.git("revert", "--no-edit", squash);
    expect((await rig.goOn()).exit).toBe(5);
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["conflict", "pending"]);
  });

  test.each([
    ["its first commit", "auto/a~2"],
    ["its first two commits in one", "auto/a~1"],
  ])("in part before it landed is asked about: %s", async (_, upTo) => {
    const a = "echo 1 > one.txt; commit one; echo 2 >> one.txt; commit two; echo 3 > three.txt; commit three";
    const rig = await runRig({ agents: { a }, tasks: ["a"] });
    await rig.run({ merge: false });
    rig.repo.git("merge", "-q", "--squash", upTo);
    commitFiles(rig.repo.dir, { mine: "mine\n" });
    rig.repo.git("revert", "--no-edit", "HEAD");
    expect(await rig.land("a")).toMatchObject({ merged: [], exit: 5 });
    expect(rig.has("one.txt")).toBe(false);
  });

  test("is told from a value that the target only had for a while: the task's own collides", async () => {
    const rig = await runRig({
      files: { f: "10\n" },
      agents: { a: "echo 30 > f; commit a" },
      tasks: ["a"],
      settings: { merge: { on_conflict: ["resolvers", "person"] } },
    });
    await rig.run({ merge: false });
    for (const value of ["30\n", "5\n"]) commitFiles(rig.repo.dir, { f: value });
    expect(await rig.land("a")).toMatchObject({ merged: [], exit: 5 });
    expect(rig.task("a")).toMatchObject({ status: "conflict" });
  });

  test("is told from what the user changed in it, or in the commit before it", async () => {
    const rig = await runRig({ files: { f: "one\n" }, agents: { a: "echo two > f; commit a", b: writes("b") }, tasks });
    await rig.run({ mode: "one-group", merge: false });
    rig.repo.git("merge", "-q", "--squash", "auto/a");
    commitFiles(rig.repo.dir, {});
    const mine = commitFiles(rig.repo.dir, { mine: "mine\n" });
    await rig.land("a");
    rig.repo.git("revert", "--no-edit", mine);
    commitFiles(rig.repo.dir, { f: "two, better\n" });
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["done", "qa_approved"]);
  });

  test("is not called merged again if another task changed lines near it", async () => {
    const rig = await runRig({
      files: { f: "1\n2\n3\n4\n5\n6\n7\n" },
      agents: { other: "sed -i s/3/three/ f; commit other", a: "sed -i s/5/five/ f; commit a", b: writes("b") },
      tasks: ["other", ...tasks],
    });
    await rig.run({ mode: "one-group" });
    const merge = rig.task("a").landed?.merge ?? "";
    rig.repo.git("revert", "--no-edit", "-m", "1", merge);
    for (const _ of [1, 2]) {
      expect((await rig.goOn()).exit).toBe(5);
      expect([rig.task("a").status, rig.task("b").status, rig.has("b.txt")]).toEqual(["conflict", "pending", false]);
    }
  });

  test.each([
    ["reset", (rig: Rig, landed: string) => rig.repo.git("reset", "-q", "--hard", landed)],
    ["reverted", (rig: Rig) => rig.repo.git("revert", "--no-edit", "-m", "1", "HEAD")],
  ])("is asked about if a person merged it and it was %s", async (_, takeBack) => {
    const rig = await runRig({
      agents: { first: writes("first"), a: "echo 1 > one.txt; commit one; echo 2 > two.txt; commit two", b: "exit 1" },
      tasks: [{ id: "first" }, { id: "a", verification: ["test -f never"], retries: 0 }, { id: "b", depends_on: ["a"], retries: 0 }],
    });
    await rig.run();
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["failed", "skipped"]);
    const landed = rig.repo.git("rev-parse", "main");
    const work = rig.repo.git("rev-parse", "auto/a");
    rig.repo.git("merge", "-q", "--no-ff", "-m", "by hand", "auto/a");
    await rig.decide("a", "retry");
    await rig.goOn();
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["done", "failed"]);
    takeBack(rig, landed);
    rig.repo.git("update-ref", "-d", `refs/graftwork/ready/${rig.newest().run}/a`);
    expect(rig.repo.git("for-each-ref", "--contains", work, "refs/graftwork/backup")).not.toBe("");
    await rig.decide("b", "retry");
    expect((await rig.goOn()).exit).toBe(5);
    expect([rig.task("a").status, rig.task("b").status]).toEqual(["conflict", "pending_retry"]);
  });
});
