import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CliResult, fakeAgent, runCli, type TempRepo, tempFolder, tempRepo } from "../fixtures/index.ts";

const ready = [{ commit: "work" }, { promise: "READY_FOR_QA" }] as const;

type Stage = { repo: TempRepo; graftwork: (...args: string[]) => Promise<CliResult>; prompt: string; first: string };

/** A run in which `right` collides with `left`, waits for a person, and can do better with what landed; `prompt` is the brief of its second attempt. */
async function stage(): Promise<Stage> {
  const prompt = join(tempFolder("prompt"), "brief.md");
  const agent = fakeAgent({
    left: [[{ write: "list.txt", text: "one\nleft\nthree\n" }, ...ready]],
    right: [
      [{ write: "list.txt", text: "one\nright\nthree\n" }, ...ready],
      [{ savePrompt: prompt }, { write: "right.txt", text: "right\n" }, ...ready],
    ],
  });
  const settings = { agents: { default: "fake", fake: { command: agent.command } }, merge: { on_conflict: ["resolvers", "person"] } };
  const repo = tempRepo({ files: { "list.txt": "one\ntwo\nthree\n", ".claude/auto-context.yaml": JSON.stringify(settings) } });
  const plan = join(repo.parent, "plan.json");
  const tasks = ["left", "right"].map((id) => ({ id, title: id }));
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks }));
  const graftwork: Stage["graftwork"] = (...args) => runCli(args, { cwd: repo.dir });
  expect((await graftwork("run", plan, "--yes")).code).toBe(5);
  return { repo, graftwork, prompt, first: repo.git("rev-parse", "auto/right") };
}

async function expectAnew({ repo, graftwork, prompt, first }: Stage): Promise<void> {
  expect(await graftwork("continue")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: left, right") });
  expect(readFileSync(prompt, "utf8")).toContain("+right");
  expect([repo.git("show", "main:list.txt"), repo.git("show", "main:right.txt")]).toEqual(["one\nleft\nthree", "right"]);
  const kept = repo.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/graftwork/attempts");
  expect(kept).toMatch(new RegExp(`^${first} refs/graftwork/attempts/.*/right/1$`));
}

test("resolve --retry-agent of a conflict begins the task anew on the target as it is, its first diff as a hint and its old tip kept", async () => {
  const staged = await stage();
  expect((await staged.graftwork("resolve", "right", "--retry-agent")).code).toBe(0);
  await expectAnew(staged);
});

test("retry of a conflict that was skipped does the same", async () => {
  const staged = await stage();
  expect((await staged.graftwork("resolve", "right", "--skip")).code).toBe(0);
  expect((await staged.graftwork("retry", "right")).code).toBe(0);
  await expectAnew(staged);
});

test("a decision that contradicts itself is refused, and a folder is no file", async () => {
  const { graftwork, repo } = await stage();
  const refusals: [string[], string][] = [
    [["resolve", "right", "--skip", "--retry-agent"], "--skip and --retry-agent were given together"],
    [["resolve", "right", "--open", "--done"], "--open and --done were given together"],
    [["resolve", "right", "--skip", "--ours", "list.txt"], "--skip and --ours were given together"],
    [["resolve", "right", "--take-file", `list.txt=${repo.dir}`], "it is a folder"],
    [["merge", "--undo", "one-run", "another"], '"one-run", "another" are not one run'],
  ];
  for (const [args, said] of refusals) expect(await graftwork(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
  expect((await graftwork("status")).stdout).toMatch(/right +conflict/);
});
