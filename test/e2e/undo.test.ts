import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeAgent, runCli, tempRepo } from "../fixtures/index.ts";

test("run by group, undo: main and its branches are back; refused where somebody committed between the landings", async () => {
  const agent = fakeAgent({
    "*": [[{ write: "made.txt", text: "x\n" }, { commit: "work" }, { promise: "READY_FOR_QA" }]],
    two: [[{ write: "two.txt", text: "2\n" }, { commit: "work" }, { promise: "READY_FOR_QA" }]],
  });
  const repo = tempRepo({
    files: { ".claude/auto-context.yaml": JSON.stringify({ agents: { default: "fake", fake: { command: agent.command } } }) },
  });
  const plan = join(repo.parent, "plan.json");
  writeFileSync(
    plan,
    JSON.stringify({
      version: 1,
      name: "u",
      verification: ["test -f README.md"],
      tasks: [
        { id: "one", title: "One" },
        { id: "two", title: "Two", depends_on: ["one"] },
      ],
    }),
  );
  const graftwork = (...args: readonly string[]) => runCli(args, { cwd: repo.dir });
  const before = repo.git("rev-parse", "main");
  const first = await graftwork("run", plan, "--yes", "--one-group");
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("Session complete. Run /auto-continue for next group.") });
  expect(await graftwork("merge", "--undo")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/main is back at[\s\S]*The run was not at its end: it ends here/),
  });
  expect(repo.git("rev-parse", "main")).toBe(before);
  expect(repo.git("branch", "--list", "auto/one").trim()).toBe("auto/one");

  const again = await graftwork("run", plan, "--yes", "--one-group", "--json");
  expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, exit: 0, remaining_groups: [2] });
  repo.commit({ "user.txt": "mine\n" }, "by the user");
  expect(await graftwork("continue")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: one, two") });
  expect(await graftwork("merge", "--undo")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/these commits are in its way:[^]*by the user/),
  });
  expect(repo.git("ls-files", "user.txt", "made.txt", "two.txt").split("\n")).toHaveLength(3);
});

/** A run of one task whose work is on main. */
async function landedRun() {
  const agent = fakeAgent({ "*": [[{ write: "made.txt", text: "x\n" }, { commit: "work" }, { promise: "READY_FOR_QA" }]] });
  const settings = { agents: { default: "fake", fake: { command: agent.command } } };
  const repo = tempRepo({ files: { ".claude/auto-context.yaml": JSON.stringify(settings) } });
  const plan = join(repo.parent, "plan.json");
  writeFileSync(plan, JSON.stringify({ version: 1, name: "u", verification: ["test -f README.md"], tasks: [{ id: "one", title: "One" }] }));
  const graftwork = (...args: readonly string[]) => runCli(args, { cwd: repo.dir });
  expect((await graftwork("run", plan, "--yes")).code).toBe(0);
  return { repo, graftwork };
}

test("status and runs say of a run that it was undone", async () => {
  const { repo, graftwork } = await landedRun();
  expect((await graftwork("status")).stdout).toMatch(/\(exit 0\)[\s\S]* one  done [\s\S]* landed on main\n/);
  expect((await graftwork("merge", "--undo")).stdout).not.toContain("not at its end");
  const { stdout } = await graftwork("status");
  expect(stdout).toMatch(/ \(undone\)[\s\S]* one  undone [\s\S]* undone: had landed on main, which was put back\n/);
  expect(JSON.parse((await graftwork("status", "--json")).stdout)).toMatchObject({
    undone: true,
    progress: { status: "undone", tasks: { one: { status: "undone" } } },
  });
  expect(readFileSync(join(repo.dir, ".claude/auto-progress.yaml"), "utf8")).toMatch(/^status: undone$/m);
  expect((await graftwork("runs")).stdout).toMatch(/ {2}undone {2}0\/1 tasks/);
});

test("merge says of a landed task that it is merged; a retry after the end sees that the target lost the work", async () => {
  const { repo, graftwork } = await landedRun();
  expect(await graftwork("merge", "one")).toMatchObject({ code: 0, stdout: expect.stringContaining("auto/one: merged before") });
  repo.git("reset", "-q", "--hard", "main~1");
  expect(await graftwork("merge", "one")).toMatchObject({ code: 5, stdout: expect.stringMatching(/held its work and holds it no longer/) });
  expect(await graftwork("retry", "one")).toMatchObject({ code: 0, stdout: expect.stringContaining("will be tried again") });
  expect((await graftwork("continue")).code).toBe(0);
  expect(repo.git("ls-files", "made.txt")).toBe("made.txt");
});

test("undo says which branch's name is taken by now, and that a target is gone", async () => {
  const { repo, graftwork } = await landedRun();
  const work = repo.git("rev-parse", "--short=12", "main^2");
  repo.git("branch", "auto/one", "main");
  repo.git("switch", "-q", "-c", "elsewhere");
  repo.git("branch", "-m", "main", "trunk");
  expect(await graftwork("merge", "--undo")).toMatchObject({ code: 2, stderr: expect.stringContaining("The target branch main is gone") });
  repo.git("branch", "-m", "trunk", "main");
  expect(await graftwork("merge", "--undo")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`- auto/one is not: its name is taken; it was at ${work}`),
  });
});
