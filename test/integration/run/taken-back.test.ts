import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newestLanding, undo } from "../../../src/run/index.ts";
import { commitFiles } from "../../fixtures/index.ts";
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

  test.each([
    ["amended", ["commit", "-q", "--amend", "-m", "in other words"]],
    ["rebased", ["rebase", "-q", "--no-ff", "HEAD~1"]],
  ])("a landing that was %s is still there", async (_, command) => {
    const rig = await oneGroup();
    rig.repo.git(...command);
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.task("a").status, rig.has("b.txt")]).toEqual(["done", true]);
  });

  test("a branch that began on a commit that was amended away brings its own changes alone", async () => {
    const b = 'echo b > b.txt; commit b; (cd "$R"; git rm -q key; git commit -q --amend -m begin)';
    const rig = await runRig({ files: { key: "secret\n" }, agents: { b }, tasks: ["b"] });
    const before = rig.repo.git("rev-parse", "main");
    expect((await rig.run()).exit).toBe(0);
    expect([rig.has("b.txt"), rig.has("key")]).toEqual([true, false]);
    expect(() => rig.repo.git("merge-base", "--is-ancestor", before, "main")).toThrow();
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

describe("an undo", () => {
  test("without a name takes the newest landing back, whichever run it is of", async () => {
    const rig = await runRig({
      files: { "a.txt": "x\n" },
      agents: { one: "echo one >> a.txt; commit one", b: writes("b") },
      tasks: ["one"],
    });
    writeFileSync(join(rig.repo.dir, "a.txt"), "unsaved\n");
    expect((await rig.run()).exit).toBe(5);
    rig.repo.git("checkout", "-q", "a.txt");
    expect((await rig.goOn()).exit).toBe(0);
    const top = rig.repo.git("rev-parse", "main");
    const undone = await undo(rig.repository, await newestLanding(rig.repository), () => new Date());
    expect(undone).toMatchObject({ run: rig.newest().run, from: top });
    expect(rig.newest().facts).toMatchObject({ undone: true });
    await expect(rig.goOn()).rejects.toMatchObject({ code: "NOTHING_TO_CONTINUE" });
    await expect(newestLanding(rig.repository)).rejects.toMatchObject({ code: "UNDO_REFUSED" });
  });

  test("names the commits in its way, and the command that takes the work back", async () => {
    const rig = await runRig({ agents, tasks: ["a"] });
    await rig.run();
    commitFiles(rig.repo.dir, { own: "mine\n" }, "my own work");
    const landing = await newestLanding(rig.repository);
    const refused = await undo(rig.repository, landing, () => new Date()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "UNDO_REFUSED", because: expect.stringContaining("my own work") });
    const [, command = ""] = /`git (revert [^`]+)`/.exec((refused as { try: string }).try) ?? [];
    rig.repo.git(...command.split(" "), "--no-edit");
    expect([rig.has("a.txt"), rig.has("own")]).toEqual([false, true]);
  });
});
