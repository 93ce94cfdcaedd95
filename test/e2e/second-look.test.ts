import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AgentScript, fakeAgent, runCli, tempRepo } from "../fixtures/index.ts";

type Told = { code: number; statuses: Record<string, string>; warnings: string[]; starts: string[] };

/** Runs tasks that each write a file and a test; `needs` says whose files a task's test wants. No dependency is declared. */
async function run(needs: Record<string, readonly string[]>): Promise<Told> {
  const script: AgentScript = Object.fromEntries(
    Object.entries(needs).map(([id, wanted]) => [
      id,
      [
        [
          { write: `${id}.txt`, text: "x\n" },
          { write: `test-${id}.sh`, text: ["true", ...wanted.map((one) => `test -f ${one}.txt`)].join(" && ") },
          { commit: id },
          { promise: "READY_FOR_QA" },
        ],
      ],
    ]),
  );
  const agent = fakeAgent(script);
  const config = { agents: { default: "fake", fake: { command: agent.command } }, parallelization: { retry_on_failure: 0 } };
  const repo = tempRepo({ files: { ".claude/auto-context.yaml": JSON.stringify(config), "test-base.sh": "true\n" } });
  const plan = join(repo.parent, "plan.json");
  const tasks = Object.keys(needs).map((id) => ({ id, title: id }));
  const check = 'for f in test-*.sh; do sh "$f" || exit 1; done';
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: [`sh -c '${check}'`], tasks }));
  const end = await runCli(["run", plan, "--yes", "--json"], { cwd: repo.dir });
  const told = JSON.parse(end.stdout) as { tasks: { id: string; status: string }[]; warnings: string[] };
  return {
    code: end.code ?? -1,
    statuses: Object.fromEntries(told.tasks.map((task) => [task.id, task.status])),
    warnings: told.warnings.filter((text) => text.includes("depends_on")),
    starts: agent.starts().map((start) => start.task),
  };
}

test("a chain of undeclared needs lands link by link beside a task that stays bad; each warning names the link before", async () => {
  const { code, statuses, warnings } = await run({ c: ["b"], b: ["a"], a: [], bad: ["nothing"] });
  expect({ code, statuses }).toEqual({ code: 4, statuses: { a: "done", b: "done", c: "done", bad: "failed" } });
  expect(warnings).toEqual([expect.stringMatching(/^b: .*`depends_on: \[a\]`/), expect.stringMatching(/^c: .*`depends_on: \[b\]`/)]);
});

test("two tasks that need each other land together although nothing else moves the target", async () => {
  const { code, statuses, starts } = await run({ x: ["y"], y: ["x"] });
  expect({ code, statuses }).toEqual({ code: 0, statuses: { x: "done", y: "done" } });
  expect(starts).toHaveLength(2);
});
