import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findProcesses } from "../../src/subprocess/index.ts";
import { type AgentScript, type FakeAgent, fakeAgent, runCli, type TempRepo, tempRepo } from "../fixtures/index.ts";

type Stage = {
  repo: TempRepo;
  agent: FakeAgent;
  graftwork: (...args: readonly string[]) => ReturnType<typeof runCli>;
  run: (tasks: readonly object[], ...flags: readonly string[]) => ReturnType<typeof runCli>;
};

const ready = [{ commit: "work" }, { promise: "READY_FOR_QA" }] as const;

/** A repository whose default agent follows a script; every plan is checked by `test -f README.md`. */
function stage(script: AgentScript, settings: object = {}): Stage {
  const agent = fakeAgent(script);
  const repo = tempRepo({
    files: {
      ".claude/auto-context.yaml": JSON.stringify({
        agents: { default: "fake", fake: { command: agent.command, ...settings } },
        parallelization: { retry_on_failure: 1 },
      }),
    },
  });
  const graftwork: Stage["graftwork"] = (...args) => runCli(args, { cwd: repo.dir });
  const run: Stage["run"] = (tasks, ...flags) => {
    const plan = join(repo.parent, "plan.json");
    writeFileSync(
      plan,
      JSON.stringify({
        version: 1,
        name: "p",
        verification: ["test -f README.md"],
        tasks: tasks.map((task) => ({ title: "A task", ...task })),
      }),
    );
    return graftwork("run", plan, "--yes", ...flags);
  };
  return { repo, agent, graftwork, run };
}

describe("graftwork run", () => {
  test("what cannot be done is failed with its reason, what depends on it skipped, a secret is a person's, the rest lands: exit 5", async () => {
    const { repo, agent, run } = stage({
      idle: [[{ promise: "READY_FOR_QA" }]],
      leaky: [[{ write: ".env", text: "TOKEN=1\n" }, { promise: "READY_FOR_QA" }]],
      fine: [[{ write: "fine.txt", text: "f\n" }, { promise: "TASK_DONE" }]],
    });
    const end = await run([{ id: "idle" }, { id: "leaky" }, { id: "fine" }, { id: "after", depends_on: ["idle"] }], "--json");
    expect(end.code).toBe(5);
    const { tasks } = JSON.parse(end.stdout) as { tasks: { id: string; status: string; attempts: number; last_error: string | null }[] };
    expect(Object.fromEntries(tasks.map((task) => [task.id, [task.status, task.attempts]]))).toEqual({
      idle: ["failed", 2],
      leaky: ["conflict", 1],
      fine: ["done", 1],
      after: ["skipped", 0],
    });
    expect(tasks.find((task) => task.id === "idle")?.last_error).toContain("changed nothing");
    expect(tasks.find((task) => task.id === "leaky")?.last_error).toContain(".env");
    expect(repo.git("show", "main:fine.txt")).toBe("f");
    expect(repo.git("log", "-1", "--format=%B", "main^2")).toContain("Committed by graftwork: the agent left it uncommitted.");
    expect(agent.starts().map((start) => start.task)).not.toContain("after");
    expect((await runCli(["rescue", "list"], { cwd: repo.dir, program: "pool-manager" })).stdout).toContain("leaky/1");
  });

  test("an agent that hangs, ignores TERM and leaves a daemon behind: ended with all it started, at its limit", async () => {
    const { repo, run } = stage({ "*": [[{ daemon: "daemon.pid" }, { ignoreTerm: true }, { hang: true }]] }, { timeout: "1s" });
    const end = await run([{ id: "hangs", retries: 0 }], "--json");
    expect(end.code).toBe(4);
    expect(end.stdout).toContain("still at work after");
    expect(findProcesses({ markers: [], folders: [`${repo.dir}.pool`] })).toEqual([]);
  });

  test("--no-merge stops at approved; --into makes another branch the target and leaves the checkout alone", async () => {
    const { repo, run, graftwork } = stage({ "*": [[{ write: "made.txt", text: "m\n" }, ...ready]] });
    expect(await run([{ id: "one" }], "--no-merge")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Approved, not merged: one (branch auto/one)"),
    });
    for (const named of [["one"], []]) {
      const preview = await graftwork("merge", ...named, "--preview");
      expect(preview).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1\. auto\/one \(1 file\)$[^]*: test -f README\.md$/m) });
      const dry = await graftwork("merge", ...named, "--dry-run");
      expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Would merge: auto\/one$/m) });
    }
    const before = repo.git("rev-parse", "main");
    repo.git("branch", "release");
    expect(await run([{ id: "two" }], "--into", "release")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: two") });
    expect(repo.git("rev-parse", "main")).toBe(before);
    expect(repo.git("show", "release:made.txt")).toBe("m");
    expect(repo.git("status", "--porcelain")).toBe("");
  });

  test("an agent that writes into the user's checkout is reported; nothing of it lands", async () => {
    const repoFile = { path: "" };
    const { repo, agent, run } = stage({ "*": [[{ write: "made.txt", text: "m\n" }, ...ready]] });
    repoFile.path = join(repo.dir, "stray.txt");
    writeFileSync(
      agent.script,
      readFileSync(agent.script, "utf8").replace(
        '{"write":"made.txt"',
        `{"write":${JSON.stringify(repoFile.path)},"text":"s"},{"write":"made.txt"`,
      ),
    );
    const end = await run([{ id: "one" }]);
    expect(end).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("files changed in your checkout while its agent was at work: stray.txt"),
    });
    expect(repo.git("ls-tree", "--name-only", "main").split("\n")).not.toContain("stray.txt");
    expect(readFileSync(repoFile.path, "utf8")).toBe("s");
  });

  test("an unsaved file of the user in the way: the target waits, the run names the command, continue takes it from there", async () => {
    const { repo, run, graftwork } = stage({
      one: [[{ write: "README.md", text: "# by the agent\n" }, ...ready]],
      two: [[{ write: "two.txt", text: "2\n" }, ...ready]],
    });
    writeFileSync(join(repo.dir, "README.md"), "# mine, unsaved\n");
    const end = await run([{ id: "one" }, { id: "two", depends_on: ["one"] }]);
    expect(end.code).toBe(5);
    expect(end.stdout).toContain("Waits for your checkout");
    expect(readFileSync(join(repo.dir, "README.md"), "utf8")).toBe("# mine, unsaved\n");
    repo.git("stash", "-q");
    expect(await graftwork("continue")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: one, two") });
    expect(repo.git("show", "main:README.md")).toBe("# by the agent");
    expect(repo.git("show", "main:two.txt")).toBe("2");
    repo.git("merge-base", "--is-ancestor", "main^2", "main");
  });

  test("a second run while one is live exits 3 and names it", async () => {
    const { repo, run, graftwork } = stage({ "*": [[{ waitFor: "go" }, { write: "a.txt", text: "a" }, ...ready]] });
    const first = run([{ id: "one" }]);
    const seen = await waitForRun(graftwork);
    const second = await graftwork("run", join(repo.parent, "plan.json"), "--yes");
    expect(second).toMatchObject({ code: 3, stderr: expect.stringContaining(`run ${seen}`) });
    writeFileSync(join(`${repo.dir}.pool`, "wt-1", "go"), "");
    expect((await first).code).toBe(0);
  });
});

/** The id of the run whose agent is at work. */
async function waitForRun(graftwork: Stage["graftwork"]): Promise<string> {
  for (;;) {
    const { stdout, code } = await graftwork("status", "--json");
    if (code !== 0) continue;
    const { run, progress } = JSON.parse(stdout) as { run: string; progress: { tasks: Record<string, { status: string }> } };
    if (progress.tasks["one"]?.status === "in_progress") return run;
  }
}
