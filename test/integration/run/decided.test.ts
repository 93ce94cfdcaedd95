import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

  test("on a target whose newest message was amended since", async () => {
    const both = { a: "echo a > g; commit a", b: "echo b > g; commit b" };
    const rig = await runRig({ files: { g: "one\n" }, agents: both, tasks: ["b", "a"], settings });
    expect((await rig.run()).exit).toBe(5);
    await decideG(rig, "a file");
    rig.repo.git("commit", "-q", "--amend", "-m", "in other words");
    expect((await rig.goOn()).exit).toBe(0);
    expect(rig.repo.git("show", "main:g")).toBe("both");
  });

  const collides = 'echo task > g; echo a > a.txt; commit a; cd "$R"; echo main > g';
  const options = { files: { g: "one\n" }, tasks: ["a"], settings };

  test("what a person squashed after the decision and reverted is asked about again", async () => {
    const rig = await runRig({ ...options, agents: { a: `${collides}; git commit -qam main` } });
    await rig.run();
    await resolve(rig, "--theirs", "g", "--done");
    rig.repo.git("merge", "-q", "--squash", "auto/a");
    rig.repo.git("commit", "-q", "-m", "by hand");
    rig.repo.git("revert", "--no-edit", "HEAD");
    expect((await rig.goOn()).exit).toBe(5);
    expect([rig.task("a").status, rig.has("a.txt")]).toEqual(["conflict", false]);
  });

  test("a second decision, on a target that was amended since the first, brings nothing back that was amended away", async () => {
    const rig = await runRig({ ...options, agents: { a: `${collides}; echo s > s.txt; git add s.txt; git commit -qam main` } });
    await rig.run();
    await decideG(rig, "a file");
    rig.repo.git("rm", "-q", "s.txt");
    rig.repo.git("commit", "-q", "--amend", "-m", "no secret");
    expect((await rig.goOn()).exit).toBe(5);
    await resolve(rig, "--done");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.has("s.txt"), rig.repo.git("show", "main:g")]).toEqual([true, false, "both"]);
  });

  test("the same where the agent had merged what was reset away", async () => {
    const user = 'cd "$R"; echo s > s.txt; git add s.txt; git commit -qm secret';
    const a = `echo a > a.txt; commit a; (${user}); git merge -q -m m main; echo task > g; commit a; cd "$R"; git reset -q --hard HEAD~1; echo main > g; git commit -qam main`;
    const rig = await runRig({ ...options, agents: { a } });
    await rig.run();
    await resolve(rig, "--theirs", "g", "--done");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.has("s.txt")]).toEqual([true, false]);
  });

  test("a question is over once it was answered in a slot without a change", async () => {
    const rig = await runRig({ agents: { a: writes("a") }, tasks: ["a"], settings });
    await rig.run({ merge: false });
    rig.repo.git("merge", "-q", "--ff-only", "auto/a");
    rig.repo.git("reset", "-q", "--hard", "HEAD~1");
    await rig.land("a");
    await rig.goOn();
    await resolve(rig, "--open");
    await resolve(rig, "--done");
    await rig.goOn();
    await rig.land("a");
    expect([rig.task("a").status, rig.has("a.txt")]).toEqual(["done", true]);
  });

  test("a choice about a target that was reset behind it is refused, not dropped, even a half-made one; without one git's merge is taken", async () => {
    const rig = await runRig({ ...options, agents: { a: `${collides}; git commit -qam main` } });
    await rig.run();
    rig.repo.git("reset", "-q", "--hard", "HEAD~1");
    const file = join(rig.task("a").packet ?? "", "files", "g");
    const written = readFileSync(file, "utf8");
    writeFileSync(file, `mine\n${written}`);
    const end = await runCli(["resolve", "a", "--done"], { cwd: rig.repo.dir });
    expect(end).toMatchObject({ code: 5, stderr: expect.stringContaining("not the one that was decided") });
    expect(rig.task("a").status).toBe("conflict");
    writeFileSync(file, written);
    await resolve(rig, "--done");
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.repo.git("show", "main:g")]).toEqual([true, "task"]);
  });

  test("a packet of an earlier conflict decides nothing; a target that is gone is named where the run saw it last", async () => {
    const rig = await runRig({ ...options, agents: { a: `${collides}; git commit -qam main` } });
    await rig.run();
    const file = join(rig.task("a").packet ?? "", "packet.json");
    const packet = readFileSync(file, "utf8");
    const before = rig.repo.git("rev-parse", "main~1");
    writeFileSync(file, packet.replace(rig.task("a").commit ?? "none", before));
    const done = () => runCli(["resolve", "a", "--theirs", "g", "--done"], { cwd: rig.repo.dir });
    expect(await done()).toMatchObject({ code: 5, stderr: expect.stringContaining("is not written yet") });
    writeFileSync(file, packet);
    const at = rig.repo.git("rev-parse", "main");
    rig.repo.git("checkout", "-q", "--detach");
    rig.repo.git("branch", "-D", "main");
    expect(await done()).toMatchObject({ stderr: expect.stringContaining(`git branch main ${at.slice(0, 12)}`) });
  });

  test("what waited under a decision, and was left out since, does not land with it", async () => {
    const waits = 'until grep -q landing-waits "$R"/.git/graftwork/runs/*/journal*; do sleep 0.1; done';
    const rig = await runRig({
      ...options,
      tasks: ["b", "a"],
      settings: { ...settings, schedule: "eager", parallelization: { min_tasks: 2 } },
      agents: {
        b: 'echo b > b.txt; commit b; echo mine > "$R/b.txt"',
        a: `(cd "$R"; echo main > g; git commit -qam main); ${waits}; echo task > g; echo a > a.txt; commit a`,
      },
    });
    expect((await rig.run()).exit).toBe(5);
    await resolve(rig, "--theirs", "g", "--done");
    rmSync(join(rig.repo.dir, "b.txt"));
    rig.repo.commit({ y: "y\n" }, "y");
    expect(await runCli(["resolve", "b", "--skip"], { cwd: rig.repo.dir })).toMatchObject({ code: 0 });
    await rig.goOn();
    expect([rig.task("b").status, rig.has("b.txt"), rig.task("a").status]).toEqual(["skipped", false, "conflict"]);
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
