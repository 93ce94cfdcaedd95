import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../../fixtures/index.ts";
import { type Rig, runRig, writes } from "./run-rig.ts";

const settings = { merge: { on_conflict: ["resolvers", "person"] } };

async function resolve(rig: Rig, ...args: string[]) {
  const end = await runCli(["resolve", "a", ...args, "--json"], { cwd: rig.repo.dir });
  expect({ code: end.code, stderr: end.stderr }).toMatchObject({ code: 0 });
  return JSON.parse(end.stdout) as { path?: string };
}

async function decideG(rig: Rig, how: string): Promise<void> {
  const both = join(rig.repo.parent, "both");
  writeFileSync(both, "both\n");
  if (how === "a file") return void (await resolve(rig, "--take-file", `g=${both}`, "--done"));
  const { path = "" } = await resolve(rig, "--open");
  expect(readdirSync(path)).not.toContain("key");
  writeFileSync(join(path, "g"), "both\n");
  await resolve(rig, "--done");
}

/** While a's agent works on it, the user amends the newest commit: `key` goes, and `g` collides. */
const amended =
  'echo a-line > g; echo a > a.txt; commit a; (cd "$R"; git rm -q key; echo two > g; git add g; git commit -q --amend -m begin)';

describe("what a person decided lands as it was decided", () => {
  test.each(["a file", "a slot"])("on a target that was amended under the task, by %s; what was amended away stays away", async (how) => {
    const rig = await runRig({ files: { g: "one\n", key: "secret\n" }, agents: { a: amended }, tasks: ["a"], settings });
    const before = rig.repo.git("rev-parse", "main");
    expect((await rig.run()).exit).toBe(5);
    const packet = JSON.parse(readFileSync(join(rig.task("a").packet ?? "", "packet.json"), "utf8"));
    expect(packet).toMatchObject({ commits: { base: before }, files: [{ path: "g" }] });
    await decideG(rig, how);
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.has("key"), rig.repo.git("show", "main:g")]).toEqual([true, false, "both"]);
    expect(() => rig.repo.git("merge-base", "--is-ancestor", before, "main")).toThrow();
    expect(rig.starts("a")).toBe(1);
  });

  test("also under a commit that its agent put on top of it", async () => {
    const rig = await runRig({
      files: { g: "one\n", key: "secret\n" },
      agents: { "a.1": amended, a: "echo 1 > fixed; commit fix" },
      tasks: [{ id: "a", retries: 2 }],
      plan: { verification: ["test ! -f a.txt || test -f fixed"] },
      settings,
    });
    expect((await rig.run()).exit).toBe(5);
    await decideG(rig, "a file");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.has("fixed"), rig.has("key"), rig.repo.git("show", "main:g")]).toEqual([true, true, false, "both"]);
  });

  test("a branch that was merged by hand and reset is taken if a person says so", async () => {
    const rig = await runRig({ agents: { a: writes("a") }, tasks: ["a"], settings });
    await rig.run({ merge: false });
    rig.repo.git("merge", "-q", "--no-ff", "--no-edit", "auto/a");
    rig.repo.git("reset", "-q", "--hard", "HEAD~1");
    await rig.land("a");
    expect([rig.task("a").status, rig.has("a.txt")]).toEqual(["conflict", false]);
    await resolve(rig, "--done");
    await rig.goOn();
    await rig.land("a");
    expect([rig.task("a").status, rig.has("a.txt")]).toEqual(["done", true]);
  });

  test("a decision about a target that was reset since is asked for again, once for each reset", async () => {
    const rig = await runRig({ files: { g: "one\n", key: "secret\n" }, agents: { a: amended }, tasks: ["a"], settings });
    expect((await rig.run()).exit).toBe(5);
    rig.repo.commit({ more: "more\n" }, "more");
    expect((await rig.goOn()).exit).toBe(5);
    await decideG(rig, "a file");
    rig.repo.git("commit", "-q", "--amend", "-m", "more, in other words");
    const { exit } = await rig.goOn();
    if (exit === 5) {
      await decideG(rig, "a file");
      expect((await rig.goOn()).exit).toBe(0);
    }
    expect([rig.has("a.txt"), rig.has("more"), rig.repo.git("show", "main:g")]).toEqual([true, true, "both"]);
  });
});

test("a branch that brings nothing but a merge of what the target lost is no work that has landed", async () => {
  const a = '(cd "$R"; echo k > key; commit key); git merge -q --no-ff --no-edit main; (cd "$R"; git reset -q --hard HEAD~1)';
  const rig = await runRig({ agents: { a }, tasks: ["a"], settings });
  const { exit } = await rig.run();
  expect([exit === 0, rig.task("a").status === "done", rig.has("key")]).toEqual([false, false, false]);
});
