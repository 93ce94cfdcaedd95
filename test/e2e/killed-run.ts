import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { findProcesses } from "../../src/subprocess/index.ts";
import { type FakeAgent, fakeAgent, runCli, startCli, type TempRepo, tempRepo } from "../fixtures/index.ts";

/** What is printed when each part of a run has just happened: the moments at which it is killed. */
export const MOMENTS: Readonly<Record<string, RegExp>> = {
  "the run has begun": /^Run /m,
  "an agent was started": /attempt 1 by/,
  "three agents are at work": /(?:attempt 1 by[\s\S]*){3}/,
  "the first work is ready": /ready for QA/,
  "QA rejected one": /QA rejected/,
  "QA approved one": /QA approved/,
  "a conflict was found": /conflict in/,
  "the train is verified": /merging .*; verifying/,
  "the first landing is done": /landed on main/,
  "the first checkpoint is written": /checkpoint written/,
  "the second group is at work": /Group 2\n[\s\S]*attempt 1 by/,
  "the second landing is done": /(?:landed on main[\s\S]*){2}/,
};

export type Stage = { repo: TempRepo; agent: FakeAgent; plan: string };

/** Five tasks in two groups: one rejected once, two that collide. Every agent makes the same commit however often it runs. */
export function stage(): Stage {
  const repo = tempRepo({
    files: { "list.txt": "one\ntwo\nthree\n" },
    package: { scripts: { test: "node -e \"process.exit(require('fs').existsSync('bad.txt') ? 1 : 0)\"" } },
  });
  const done = [{ commit: "work" }, { promise: "READY_FOR_QA" }] as const;
  const agent = fakeAgent({
    plain: [[{ write: "plain.txt", text: "plain\n" }, ...done]],
    rejected: [
      [{ write: "bad.txt", text: "bad\n" }, ...done],
      [{ delete: "bad.txt" }, { write: "rejected.txt", text: "mended\n" }, ...done],
    ],
    left: [[{ write: "list.txt", text: "one\nleft\nthree\n" }, ...done]],
    right: [
      [{ write: "list.txt", text: "one\nright\nthree\n" }, ...done],
      [{ write: "right.txt", text: "right\n" }, ...done],
    ],
    last: [[{ write: "last.txt", text: "last\n" }, ...done]],
  });
  writeFileSync(
    join(repo.parent, "plan.json"),
    JSON.stringify({
      version: 1,
      name: "killed",
      verification: ["npm test"],
      tasks: [{ id: "plain" }, { id: "rejected" }, { id: "left" }, { id: "right" }, { id: "last", depends_on: ["plain"] }].map((task) => ({
        title: task.id,
        ...task,
      })),
    }),
  );
  configure(repo, agent);
  return { repo, agent, plan: join(repo.parent, "plan.json") };
}

function configure(repo: TempRepo, agent: FakeAgent): void {
  repo.commit(
    {
      ".claude/auto-context.yaml": JSON.stringify({
        agents: { default: "fake", fake: { command: agent.command, prompt: "stdin", output: "text" } },
      }),
    },
    "configuration",
  );
}

/** What main ends with, however often the run was cut off. */
export const EXPECTED: Readonly<Record<string, string>> = {
  "last.txt": "last",
  "list.txt": "one\nleft\nthree",
  "plain.txt": "plain",
  "rejected.txt": "mended",
  "right.txt": "right",
};

/** Names and contents of the text files that are in main. */
export function filesOf(repo: TempRepo): Record<string, string> {
  const paths = repo
    .git("ls-tree", "--name-only", "main")
    .split("\n")
    .filter((path) => path.endsWith(".txt"));
  return Object.fromEntries(paths.map((path) => [path, repo.git("show", `main:${path}`)]));
}

/** Kills a run at a moment, with its garbage collected in between, and continues it to its end. */
export async function killAndContinue(moment: RegExp): Promise<{ files: Record<string, string>; restarted: string[] }> {
  const { repo, agent, plan } = stage();
  const first = startCli(["run", plan, "--yes"], { cwd: repo.dir });
  await first.saw(moment);
  first.child.kill("SIGKILL");
  await first.result;
  repo.git("gc", "-q", "--prune=now");
  const approved = approvedTasks(repo);
  const before = agent.starts().length;
  let end = await runCli(["continue", "--json"], { cwd: repo.dir });
  if (end.code === 2) end = await runCli(["run", plan, "--yes", "--json"], { cwd: repo.dir });
  expect({ code: end.code, stderr: end.code === 0 ? "" : end.stderr, stdout: end.code === 0 ? "" : end.stdout }).toEqual({
    code: 0,
    stderr: "",
    stdout: "",
  });
  const { run } = JSON.parse(end.stdout) as { run: string };
  expect(findProcesses({ markers: [`GRAFTWORK_RUN=${run}`], folders: [`${repo.dir}.pool`] })).toEqual([]);
  expect(await runCli(["health"], { cwd: repo.dir, program: "pool-manager" })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Pool health: OK"),
  });
  expect(repo.git("status", "--porcelain")).toBe("");
  repo.git("fsck", "--no-dangling");
  const restarted = agent
    .starts()
    .slice(before)
    .map((start) => start.task);
  // One that collided afterwards does its work again by design.
  const collided = new Set(eventsOf(repo).flatMap(({ type, task }) => (type === "conflict" ? (task ?? []) : [])));
  expect(restarted.filter((task) => approved.has(task) && !collided.has(task))).toEqual([]);
  expect(restarted.filter((task) => task === "right").length).toBeLessThanOrEqual(2);
  return { files: filesOf(repo), restarted };
}

/** Tasks whose newest word in the run's journals is an approval: their agents must not run again. */
function approvedTasks(repo: TempRepo): Set<string> {
  const approved = new Set<string>();
  for (const { type, task, verdict } of eventsOf(repo)) {
    if (type === "verdict" && verdict?.decision === "approved" && task !== undefined) approved.add(task);
    if (type === "conflict" && task !== undefined) approved.delete(task);
  }
  return approved;
}

type Said = { type: string; task?: string; verdict?: { decision: string } };

function eventsOf(repo: TempRepo): Said[] {
  const runs = repo
    .git("for-each-ref", "--format=%(refname:lstrip=3)", "refs/graftwork/owner")
    .split("\n")
    .filter((name) => name !== "");
  return runs.flatMap((run) => {
    const folder = join(repo.dir, ".git/graftwork/runs", run);
    const journals = readdirSync(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .sort();
    const lines = journals.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1));
    return lines.map((line) => (JSON.parse(line) as { event: Said }).event);
  });
}
