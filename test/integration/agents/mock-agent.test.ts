import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type AgentStart, buildBrief, successOf } from "../../../src/agents/index.ts";
import { hermeticEnv, tempFolder, tempRepo } from "../../fixtures/index.ts";
import { preset, type Run, run } from "./start.ts";

/** The mock agent in a repository, with a script; task `t1` unless told. */
async function mock(script: unknown, { attempt = 1, ...more }: Partial<AgentStart> & { attempt?: number } = {}): Promise<Run> {
  const file = join(tempFolder(), "script.json");
  writeFileSync(file, JSON.stringify(script));
  const task = more.task ?? "t1";
  return run(preset("mock"), {
    cwd: tempRepo().dir,
    ...more,
    environment: { GRAFTWORK_TASK_ID: task, GRAFTWORK_ATTEMPT: String(attempt) },
    parentEnv: { ...hermeticEnv(), GRAFTWORK_MOCK_SCRIPT: file },
  });
}

test("without a script it makes a small change that can be seen, and commits it", async () => {
  const repo = tempRepo();
  const { report } = await run(preset("mock"), { cwd: repo.dir });
  expect(report.promise).toEqual({ name: "READY_FOR_QA", reason: "Wrote mock/t1.md." });
  expect(successOf(report)).toEqual({ kind: "claims-success" });
  expect(repo.git("show", "--stat", "--format=%s")).toMatch(/^t1: a note by the mock agent\n[^]*mock\/t1\.md/);
  expect(repo.git("status", "--porcelain")).toBe("");
});

test("does so again in a second run of the same task", async () => {
  const repo = tempRepo();
  for (const id of ["first", "second"]) {
    const { report } = await run(preset("mock"), { cwd: repo.dir, environment: { GRAFTWORK_TASK_ID: "t1", GRAFTWORK_RUN: id } });
    expect(report.exitCode).toBe(0);
  }
  expect(repo.git("rev-list", "--count", "HEAD")).toBe("3");
});

test("commits where the machine has no identity of its own", async () => {
  const repo = tempRepo();
  repo.git("config", "--unset", "user.name");
  repo.git("config", "--unset", "user.email");
  expect((await run(preset("mock"), { cwd: repo.dir })).report.exitCode).toBe(0);
  expect(repo.git("log", "-1", "--format=%ae")).toBe("mock@agent.invalid");
});

test("does what the script says for its task and attempt", async () => {
  const repo = tempRepo({ files: { "a.txt": "1\n2\n3\n", "b.txt": "x" } });
  const script = {
    tasks: {
      t1: [
        [{ print: "first" }, { exit: 3 }],
        [
          { replaceLine: "a.txt", line: 2, text: "two" },
          { delete: "b.txt" },
          { write: "c/d.txt", text: "d" },
          { append: "c/d.txt", text: "e" },
          { commit: "all" },
        ],
      ],
      "*": [[{ print: "other" }]],
    },
  };
  expect((await mock(script, { cwd: repo.dir })).report).toMatchObject({ exitCode: 3, lastWords: "first" });
  expect((await mock(script, { cwd: repo.dir, task: "t2" })).report).toMatchObject({ exitCode: 0, lastWords: "other" });
  // The last attempt stands for all after it.
  expect((await mock(script, { cwd: repo.dir, attempt: 5 })).report.exitCode).toBe(0);
  expect(readFileSync(join(repo.dir, "a.txt"), "utf8")).toBe("1\ntwo\n3\n");
  expect(readFileSync(join(repo.dir, "c/d.txt"), "utf8")).toBe("de");
  expect(repo.git("show", "--format=%s", "--name-status").split("\n")).toEqual(["all", "", "M\ta.txt", "D\tb.txt", "A\tc/d.txt"]);
});

test("takes its script from the task's description", async () => {
  const template = readFileSync(new URL("../../../templates/prompts/executor.md", import.meta.url), "utf8");
  const description = 'Say it.\n\n```mock-agent\n[[{ "promise": "TASK_BLOCKED", "reason": "needs a key" }]]\n```\n';
  const nothing = { checks: [], files: [], neighbours: [], conflicts: [], lastFailure: null, hint: null };
  const task = { id: "t1", title: "T", description };
  const { report } = await run(preset("mock"), {
    brief: buildBrief({ template, task, attempt: 1, slotPath: "/s", branch: "b", ...nothing }),
  });
  expect(successOf(report)).toEqual({ kind: "blocked", reason: "needs a key" });
});

describe("misbehaves on cue", () => {
  test.for<[what: string, steps: object[], claim: object]>([
    ["a crash", [{ print: "x" }, { crash: true }], { failure: "crashed", reason: "ended by SIGKILL" }],
    ["a failure of its own", [{ promise: "TASK_FAILED", reason: "no idea" }], { failure: "reported-failure", reason: "no idea" }],
    ["an exit code", [{ printError: "why" }, { exit: 9 }], { failure: "crashed", reason: "exit 9: why" }],
    ["a rate limit", [{ rateLimit: true }], { kind: "rate-limited" }],
    ["a commit of nothing", [{ commit: "x" }], { failure: "crashed" }],
    ["an unknown step", [{ dance: 1 }], { failure: "crashed", reason: 'exit 1: mock agent: unknown step {"dance":1}' }],
    ["the wrong task's signal", [{ promise: "TASK_FAILED", task: "t9" }], { kind: "claims-success" }],
    ["QA's signal", [{ promise: "TASK_APPROVED" }], { kind: "claims-success" }],
    ["a flood", [{ flood: 5 }, { print: "end" }], { kind: "claims-success" }],
  ])("%s", async ([, steps, claim]) => {
    expect(successOf((await mock([steps])).report)).toMatchObject(claim);
  });

  test("a hang that ignores TERM", async () => {
    const abort = new AbortController();
    const onLine = () => abort.abort();
    const { report } = await mock([[{ ignoreTerm: true }, { print: "here" }, { hang: true }]], {
      signal: abort.signal,
      onLine,
      graceMs: 50,
    });
    expect(report).toMatchObject({ ended: "interrupted", signal: "SIGKILL", lastWords: "here" });
  });
});

test("two of them conflict on cue", async () => {
  const repo = tempRepo({ files: { "a.txt": "1\n2\n3\n" } });
  for (const branch of ["one", "two"]) {
    repo.git("switch", "--quiet", "--create", branch, "main");
    await mock([[{ replaceLine: "a.txt", line: 2, text: branch }, { commit: branch }]], { cwd: repo.dir });
  }
  expect(() => repo.git("merge-tree", "--write-tree", "one", "two")).toThrow("ended with 1");
});
