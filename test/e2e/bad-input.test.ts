import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CliResult, git, runCli, tempFolder, tempRepo } from "../fixtures/index.ts";

const tasks = (...list: readonly object[]): string => JSON.stringify({ version: 1, name: "bad", verification: ["true"], tasks: list });
const PLANS: Readonly<Record<string, { text: string; says: RegExp; code?: string }>> = {
  "an unknown dependency": {
    text: tasks({ id: "login", title: "x", depends_on: ["logni"] }, { id: "logn", title: "y" }),
    says: /`login` depends on `logni`/,
  },
  "a cycle": {
    text: tasks({ id: "a", title: "x", depends_on: ["b"] }, { id: "b", title: "y", depends_on: ["a"] }),
    says: /cycle of dependencies: a -> b -> a/,
  },
  "a duplicate id": { text: tasks({ id: "a", title: "x" }, { id: "a", title: "y" }), says: /a/ },
  "an id that leaves the folder": { text: tasks({ id: "../e", title: "x" }), says: /"\.\.\/e" is not usable/ },
  "40 kB of brackets": { text: "[".repeat(40_000), says: /nested deeper than 64 levels/ },
  "no tasks": { text: tasks(), says: /task/ },
  "an agent that is not configured": {
    text: tasks({ id: "a", title: "x", agent: "nobody" }),
    says: /names the agent "nobody"/,
    code: "AGENT_UNKNOWN",
  },
};

function expectThreeParts(answer: CliResult, code: string): void {
  expect(answer).toMatchObject({ code: 2, stdout: "" });
  expect(answer.stderr).toMatch(new RegExp(`^error\\[${code}\\]: .+\\n  because: .+\\n  try: .+\\n$`, "s"));
  expect(answer.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
}

describe("graftwork run with a plan that cannot be run", () => {
  test.each(Object.keys(PLANS))("%s: three parts, exit 2, nothing made", async (name) => {
    const { text, says, code = "PLAN_INVALID" } = PLANS[name] ?? expect.unreachable();
    const repo = tempRepo();
    const plan = join(repo.parent, "plan.yaml");
    writeFileSync(plan, text);
    const answer = await runCli(["run", plan, "--yes"], { cwd: repo.dir });
    expectThreeParts(answer, code);
    expect(answer.stderr).toMatch(says);
    const json = await runCli(["run", plan, "--yes", "--json"], { cwd: repo.dir });
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code, exit: 2 } });
    expect(repo.git("for-each-ref", "refs/graftwork", "refs/heads/auto")).toBe("");
    for (const made of [join(repo.dir, ".git/graftwork/runs"), `${repo.dir}.pool`, join(repo.dir, ".claude")])
      expect(existsSync(made)).toBe(false);
  });

  test("nothing says how to check: refused before anything is made", async () => {
    const repo = tempRepo();
    writeFileSync(
      join(repo.parent, "plan.json"),
      JSON.stringify({ version: 1, name: "p", tasks: [{ id: "a", title: "a", agent: "mock" }] }),
    );
    expectThreeParts(await runCli(["run", join(repo.parent, "plan.json"), "--yes"], { cwd: repo.dir }), "NO_CHECKS");
    expect(existsSync(`${repo.dir}.pool`)).toBe(false);
  });

  test("the first run in a repository asks, and where nobody can answer says so", async () => {
    const repo = tempRepo();
    writeFileSync(join(repo.parent, "plan.json"), tasks({ id: "a", title: "a", agent: "mock" }));
    const answer = await runCli(["run", join(repo.parent, "plan.json")], { cwd: repo.dir, env: { GRAFTWORK_TRUST: undefined } });
    expect(answer).toMatchObject({ code: 2, stderr: expect.stringContaining("error[CONFIRMATION_NEEDED]") });
    expect(answer.stderr).toMatch(/agent mock: a scripted stand-in.*\n +\S+node \S+mock-agent.mjs\n/);
    expect(answer.stderr).toContain("check of the plan: true");
    const [, digest = ""] = /GRAFTWORK_TRUST=([0-9a-f]{32})\./.exec(answer.stderr) ?? [];
    const approved = await runCli(["run", join(repo.parent, "plan.json")], { cwd: repo.dir, env: { GRAFTWORK_TRUST: digest } });
    expect(approved.stderr).not.toContain("CONFIRMATION_NEEDED");
    expect(answer.stderr).toContain("a, by the agent mock");
    expect(answer.stderr).toContain("is merged into your local branch main. Nothing is pushed.");
  });
});

describe("no repository to work in", () => {
  const plan = (): string => {
    const folder = tempFolder("plan");
    writeFileSync(join(folder, "plan.json"), tasks({ id: "a", title: "a", agent: "mock" }));
    return join(folder, "plan.json");
  };

  test("no repository at all", async () => {
    expectThreeParts(await runCli(["run", plan(), "--yes"], { cwd: tempFolder("none") }), "NOT_A_REPOSITORY");
  });

  test("a repository without a commit", async () => {
    const dir = tempFolder("empty");
    git(dir, "init", "-q");
    expectThreeParts(await runCli(["run", plan(), "--yes"], { cwd: dir }), "REPOSITORY_EMPTY");
    expect(existsSync(`${dir}.pool`)).toBe(false);
  });

  test("git is missing", async () => {
    const repo = tempRepo();
    const bin = join(repo.parent, "bin");
    mkdirSync(bin);
    expectThreeParts(await runCli(["run", plan(), "--yes"], { cwd: repo.dir, env: { PATH: bin } }), "GIT_MISSING");
  });

  test("nothing to continue: the documented sentence", async () => {
    const answer = await runCli(["continue"], { cwd: tempRepo().dir });
    expectThreeParts(answer, "NOTHING_TO_CONTINUE");
    expect(answer.stderr).toContain("No previous autonomous session found.");
  });
});
