import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeAgent, runCli, tempRepo } from "../fixtures/index.ts";

test("where QA is blocked, run and status name the log and the ways on, and a plan whose check is put right goes on", async () => {
  const agent = fakeAgent({ "*": [[{ write: "made.txt", text: "x\n" }, { commit: "work" }, { promise: "READY_FOR_QA" }]] });
  const settings = { agents: { default: "fake", fake: { command: agent.command } } };
  const repo = tempRepo({ files: { ".claude/auto-context.yaml": JSON.stringify(settings) } });
  const plan = join(repo.parent, "plan.json");
  const write = (check: string): void =>
    writeFileSync(plan, JSON.stringify({ version: 1, name: "b", verification: [check], tasks: [{ id: "one", title: "One" }] }));
  const graftwork = (...args: readonly string[]) => runCli(args, { cwd: repo.dir });
  write("echo never && test -f never");
  const run = await graftwork("run", plan, "--yes");
  expect(run.code).toBe(5);
  for (const { stdout } of [run, await graftwork("status")]) {
    const [, log = ""] = /^ +log: (.+)$/m.exec(stdout) ?? [];
    expect(readFileSync(log, "utf8")).toContain("never");
    expect(stdout).toContain("`graftwork continue --replan`");
    expect(stdout).toContain("`graftwork resolve one --skip`");
  }
  write("test -f README.md");
  expect(await graftwork("continue", "--replan")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: one") });
});
