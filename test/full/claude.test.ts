import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { parse } from "yaml";
import { attemptsOf, journalOf, type ModelApi, modelApi, needClient, noting, stage, type Turn } from "./model-client.ts";

const DONE = (task: string): Turn => ({ say: `The feature is there.\n<promise>READY_FOR_QA: ${task}</promise>` });
const WRITE: Turn = { do: "write", path: "{{cwd}}/src/feature.txt", content: "right\n" };
const TEST: Turn = { do: "bash", command: "npm test" };
const COMMIT: Turn = { do: "bash", command: "git add -A && git commit -q -m 'add the feature'" };

/** The client with its arguments noted, and an environment that leads it to the loopback API and nowhere else. */
function realClaude(context: TestContext, api: ModelApi) {
  const client = noting(needClient(context, "claude"), "claude");
  const env = {
    CLAUDE_CODE: client.program,
    ANTHROPIC_BASE_URL: api.url,
    ANTHROPIC_API_KEY: "fake",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
  };
  return { ...client, env };
}

describe("the real claude against a loopback model", { timeout: 120_000 }, () => {
  test("one task goes from its brief to a merged commit, with the permissions that ship", async (context) => {
    needClient(context, "claude");
    const api = await modelApi({ work: [WRITE, TEST, COMMIT, DONE("t1")] });
    const claude = realClaude(context, api);
    const { repo, run } = stage([{ id: "t1", description: "[[script:work]] Add the feature." }], "claude");
    const end = await run(claude.env);

    expect(end).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: t1") });
    expect(repo.git("show", "main:src/feature.txt")).toBe("right");
    expect(repo.git("log", "-1", "--format=%an: %s", "main^2")).toBe("Test Person: add the feature");
    expect(repo.git("status", "--porcelain")).toBe("");
    // The agent's own `npm test` was not refused, nor its commit: one attempt, and nothing left for graftwork to commit.
    const [attempt, ...others] = attemptsOf(repo, "t1");
    expect(others).toEqual([]);
    expect(attempt?.outcome).toMatchObject({ kind: "ready", summary: "The feature is there.", notes: [] });
    expect(attempt?.session).toMatch(/^[\da-f-]{36}$/);
    expect(attempt?.usage).toMatchObject({ inputTokens: 4 * 1200, outputTokens: 4 * 80, costUsd: expect.any(Number) });
    expect(parse(readFileSync(join(repo.dir, ".claude/auto-progress.yaml"), "utf8"))).toMatchObject({
      status: "done",
      tasks: { t1: { status: "done", qa_verified: true, iterations: 1, retry_count: 0 } },
    });
    const [words, ...more] = claude.starts();
    expect(more).toEqual([]);
    expect(words?.join(" ")).toMatch(/^-p --output-format stream-json --verbose --permission-mode acceptEdits --allowedTools Bash\(/);
    expect(words).toContain("Bash(npm test)");
    expect(words?.filter((word) => /skip|bypass|dangerous|^Bash$|^Bash\(\W*\)$/i.test(word))).toEqual([]);
  });

  test("work that QA rejects goes back into the same conversation, and lands", async (context) => {
    needClient(context, "claude");
    const wrong: Turn = { do: "write", path: "{{cwd}}/src/feature.txt", content: "wrong\n" };
    const api = await modelApi({ work: [wrong, COMMIT, DONE("t1")], mend: [WRITE, COMMIT, DONE("t1")] });
    const claude = realClaude(context, api);
    const { repo, run } = stage([{ id: "t1", description: "[[script:work]] Add the feature." }], "claude");
    const end = await run(claude.env);

    expect(end).toMatchObject({ code: 0, stdout: expect.stringMatching(/t1: QA rejected: .*; tried again/) });
    expect(repo.git("show", "main:src/feature.txt")).toBe("right");
    const [first, second] = attemptsOf(repo, "t1");
    expect(second?.session).toBe(first?.session);
    const [begun, resumed] = claude.starts();
    expect(begun).not.toContain("--resume");
    expect(resumed?.slice(-2)).toEqual(["--resume", first?.session]);
    // The model was shown the first attempt again, and the usage is that of the whole conversation.
    expect((await api.asked()).find((one) => one.script === "mend")?.turns).toBeGreaterThan(5);
    expect(second?.usage).toMatchObject({ inputTokens: 6 * 1200, outputTokens: 6 * 80 });
  });

  test("an error of the API fails the attempt with its words, and the next one lands", async (context) => {
    needClient(context, "claude");
    // The API's words come back in the second brief, and pick the script of the second attempt.
    const message = "scripted refusal [[script:work]]";
    const refused: Turn = { ...WRITE, error: { status: 400, type: "invalid_request_error", message, times: 99 } };
    const api = await modelApi({ refused: [refused], work: [WRITE, COMMIT, DONE("t1")] });
    const claude = realClaude(context, api);
    const { repo, run } = stage([{ id: "t1", description: "[[script:refused]] Add the feature." }], "claude");
    const end = await run(claude.env);

    expect(end).toMatchObject({ code: 0, stdout: expect.stringMatching(/t1: .*scripted refusal.*; tried again/) });
    expect(attemptsOf(repo, "t1").map((one) => one.outcome)).toMatchObject([
      { kind: "failed", failure: "crashed", reason: expect.stringContaining("scripted refusal"), retry: true },
      { kind: "ready" },
    ]);
    expect(repo.git("show", "main:src/feature.txt")).toBe("right");
  });

  test("what reaches outside its slot is refused: the user's checkout stays, and only work that found another way lands", async (context) => {
    needClient(context, "claude");
    const { repo, run } = stage(
      [
        { id: "stopped", description: "[[script:stopped]] Write beside the slot." },
        { id: "went-on", description: "[[script:went-on]] Write beside the slot." },
      ],
      "claude",
    );
    const outside: Turn[] = [
      { do: "write", path: join(repo.dir, "README.md"), content: "overwritten\n" },
      { do: "bash", command: `echo overwritten > ${join(repo.dir, "README.md")}` },
      { do: "bash", command: `git -C ${repo.dir} commit --allow-empty -m planted` },
      { do: "bash", command: `cd ${repo.dir} && git commit --allow-empty -m planted` },
      { do: "bash", command: "git push origin HEAD:main" },
    ];
    const api = await modelApi({
      stopped: [...outside, { say: "I was not allowed to write there." }],
      "went-on": [...outside, WRITE, COMMIT, DONE("went-on")],
    });
    const claude = realClaude(context, api);
    const end = await run(claude.env);

    expect(end.code).toBe(4);
    const [stopped, ...again] = attemptsOf(repo, "stopped");
    expect(again).toEqual([]);
    expect(stopped?.outcome).toMatchObject({ kind: "failed", failure: "permission-denied", retry: false });
    expect(stopped?.outcome).toMatchObject({ reason: expect.stringContaining(join(repo.dir, "README.md")) });
    expect(repo.git("show", "main:src/feature.txt")).toBe("right");
    expect(repo.git("show", "main:README.md")).toBe("# sample");
    expect(repo.git("log", "--format=%s", "--all")).not.toContain("planted");
    expect(repo.git("status", "--porcelain", "--ignored")).not.toMatch(/README/);
    expect(readFileSync(join(repo.dir, "README.md"), "utf8")).toBe("# sample\n");
  });

  test("three at once land side by side", async (context) => {
    needClient(context, "claude");
    const tasks = ["one", "two", "three"];
    const api = await modelApi(
      Object.fromEntries(
        tasks.map((task): [string, Turn[]] => [
          task,
          [{ do: "write", path: `{{cwd}}/src/${task}.txt`, content: `${task}\n` }, COMMIT, DONE(task)],
        ]),
      ),
    );
    const claude = realClaude(context, api);
    const { repo, run } = stage(
      tasks.map((id) => ({ id, description: `[[script:${id}]] Add it.` })),
      "claude",
    );
    const end = await run(claude.env);

    expect(end).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: one, two, three") });
    for (const task of tasks) expect(repo.git("show", `main:src/${task}.txt`)).toBe(task);
    const order = journalOf(repo)
      .filter((event) => event.type.startsWith("attempt-"))
      .map((event) => event.type);
    expect(order.slice(0, 3)).toEqual(["attempt-started", "attempt-started", "attempt-started"]);
    expect(new Set(tasks.map((task) => attemptsOf(repo, task)[0]?.session)).size).toBe(3);
  });
});
