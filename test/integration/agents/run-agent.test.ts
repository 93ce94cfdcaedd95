import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { successOf } from "../../../src/agents/index.ts";
import type { AgentReport } from "../../../src/domain/index.ts";
import { livenessOf } from "../../../src/subprocess/index.ts";
import { tempFolder } from "../../fixtures/index.ts";
import { family, isAlive, LIVES, pidsIn } from "../../unit/subprocess/programs.ts";
import { preset, program, recordings, run } from "./start.ts";

/** Prints a recording of a real client, then ends as it did. */
function replay(client: "claude" | "codex", name: string, end: string) {
  const file = JSON.stringify(join(recordings, `${name}.jsonl`));
  return { ...preset(client), command: program(`process.stdout.write(require("node:fs").readFileSync(${file})); ${end}`).command };
}

describe("the prompt arrives", () => {
  const brief = "Fix it; $(touch x) `id` 'q' \"é\"\n-- --help\n";
  const save = (source: string) => `require("node:fs").writeFileSync("got", ${source})`;
  const stdin = `require("node:fs").readFileSync(0, "utf8")`;
  test.for([
    ["on standard input", program(save(stdin))],
    ["as an argument", program(save("process.argv.at(-1)"), { prompt: "argument" })],
    ["as a file", program(save(`require("node:fs").readFileSync(process.env.GRAFTWORK_BRIEF, "utf8")`), { prompt: "file" })],
  ] as const)("%s", async ([, spec]) => {
    const { report, cwd } = await run(spec, { brief });
    expect(report).toMatchObject({ ended: "exited", exitCode: 0 });
    expect(readFileSync(join(cwd, "got"), "utf8")).toBe(brief);
    expect(existsSync(join(cwd, "x"))).toBe(false);
  });

  test("and nothing else on standard input", async () => {
    const { cwd } = await run(program(save(`"<" + ${stdin} + ">"`), { prompt: "file" }), { brief });
    expect(readFileSync(join(cwd, "got"), "utf8")).toBe("<>");
  });

  test("or the agent is not started: no argument can be so long", async () => {
    const { report } = await run(program("", { prompt: "argument" }), { brief: "x".repeat(200_000) });
    expect(report).toMatchObject({ ended: "not-started", detail: expect.stringContaining("E2BIG"), exitCode: null });
    expect(report.detail).toBe("the brief is too long for an argument (E2BIG); set `agents.mock.prompt` to stdin or file");
  });
});

test("an agent sees its own variables, those of its spec and the lease's, and none of ours", async () => {
  const spec = program("console.log(JSON.stringify(process.env))", { env: ["ALLOWED_*"], setEnv: { SET: "1", NO_COLOR: "0" } });
  const parentEnv = { PATH: "/usr/bin", ALLOWED_ONE: "2", SECRET: "canary", NODE_OPTIONS: "--no-warnings", GIT_DIR: "/x" };
  const { lines } = await run(spec, { parentEnv, environment: { GRAFTWORK_TASK_ID: "t1" } });
  expect(JSON.parse(lines.join(""))).toEqual({
    PATH: "/usr/bin",
    ALLOWED_ONE: "2",
    SET: "1",
    NO_COLOR: "1",
    GRAFTWORK_TASK_ID: "t1",
    GRAFTWORK_BRIEF: expect.stringContaining("brief.md"),
  });
});

describe("evidence, not exit codes", () => {
  test.for<[client: "claude" | "codex", name: string, end: string, report: Partial<AgentReport>, claim: object]>([
    ["claude", "claude-normal", "", { final: "success", promise: { name: "TASK_DONE", reason: "All done." } }, { kind: "claims-success" }],
    ["claude", "claude-two-results", "", { final: "success", lastWords: "first" }, { kind: "claims-success" }],
    ["claude", "claude-interrupted", "", { final: "none", exitCode: 0 }, { kind: "failed", failure: "crashed" }],
    ["claude", "claude-terminated", "process.exitCode = 143", { final: "none", exitCode: 143 }, { kind: "failed", failure: "crashed" }],
    [
      "claude",
      "claude-api-error",
      "process.exitCode = 1",
      { final: "error" },
      { kind: "failed", reason: "API Error: 400 scripted failure" },
    ],
    [
      "claude",
      "claude-max-turns",
      "process.exitCode = 1",
      { final: "error" },
      { kind: "failed", reason: "Reached maximum number of turns (2)" },
    ],
    ["claude", "claude-rate-limited", "process.exitCode = 1", { rateLimited: true }, { kind: "rate-limited" }],
    ["codex", "codex-normal", "", { final: "success", session: "01a1fdfd-af6f-73e1-a83a-d555b232b408" }, { kind: "claims-success" }],
    ["codex", "codex-failed", "process.exitCode = 1", { final: "error" }, { kind: "failed", failure: "crashed" }],
  ])("%s: %s", async ([client, name, end, report, claim]) => {
    const one = await run(replay(client, name, end));
    expect(one.report).toMatchObject(report);
    expect(successOf(one.report)).toMatchObject(claim);
    expect(readFileSync(one.logFile)).toEqual(readFileSync(join(recordings, `${name}.jsonl`)));
  });

  test.for<[what: string, text: string, rateLimit: string | null, claim: object]>([
    ["exit 0", "console.log('hi')", null, { kind: "claims-success" }],
    ["exit 3", "console.error('boom'); process.exitCode = 3", null, { kind: "failed", failure: "crashed", reason: "exit 3: boom" }],
    ["a crash", "process.kill(process.pid, 'SIGKILL')", null, { kind: "failed", failure: "crashed", reason: "ended by SIGKILL" }],
    ["exit 75", "process.exitCode = 75", null, { kind: "rate-limited" }],
    ["the pattern on standard error", "console.error('Slow Down!'); process.exitCode = 1", "slow down", { kind: "rate-limited" }],
    ["the pattern on standard output", "console.log('slow down'); process.exitCode = 1", "slow down", { kind: "rate-limited" }],
    ["the pattern in the words of one that succeeds", "console.log('made it slow down')", "slow down", { kind: "claims-success" }],
  ])("any program: %s", async ([, text, rateLimit, claim]) => {
    const { report } = await run(program(text, { rateLimit }));
    expect(successOf(report)).toMatchObject(claim);
  });

  test("a pattern that is none is refused before anything runs", async () => {
    await expect(run(program("", { rateLimit: "(" }))).rejects.toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("what the agent prints is cleaned, and credentials are hidden", async () => {
    const { report, lines } = await run(
      program(`console.log("\\x1b[31mPASS\\rFAIL\\x1b[0m\\x07 https://me:pw@host/"); process.exitCode = 1`),
    );
    expect(lines).toEqual(["PASS␍FAIL https://me:pw@host/"]);
    expect(report.detail).toBe("PASS␍FAIL https://***@host/");
  });

  test("the brief that comes back signals nothing, the agent's own line does", async () => {
    const brief = "End with:\n- `<promise>READY_FOR_QA: t1</promise>` when done\n";
    const echo = `process.stdout.write(require("node:fs").readFileSync(0));`;
    expect((await run(program(echo), { brief })).report.promise).toBeNull();
    const own = await run(program(`${echo} console.log("\\nDone.\\n<promise>READY_FOR_QA: t1</promise>")`), { brief });
    expect(own.report.promise).toEqual({ name: "READY_FOR_QA", reason: expect.stringContaining("Done.") });
  });

  test("a signal on standard error does not count", async () => {
    expect((await run(program("console.error('<promise>TASK_DONE: t1</promise>')"))).report.promise).toBeNull();
  });
});

const named = "`agents.claude.command` of .claude/auto-context.yaml or in CLAUDE_CODE";
test.for([
  ["no-such-client", `there is no program no-such-client on the PATH (ENOENT); install it, or name its path in ${named}`],
  ["/nonexistent/agent", `/nonexistent/agent is not there (ENOENT); name the program in ${named}`],
  [import.meta.filename, `${import.meta.filename} may not be executed (EACCES); name the program in ${named}`],
] as const)("what cannot be started is said once, with the reason and the way out (%s)", async ([path, detail]) => {
  const { report } = await run(program("", { name: "claude", command: [path] }));
  expect(report).toMatchObject({ ended: "not-started", detail });
  expect(successOf(report)).toMatchObject({ failure: "not-started", retry: false });
});

describe("a conversation", () => {
  const client = (text: string) => program(text, { output: "claude-stream-json", resume: ["--resume", "{session}"] });
  const result = `console.log(JSON.stringify({ type: "result", subtype: "success", is_error: false, session_id: "new", result: process.argv.slice(1).join(" ") }))`;

  test("is resumed", async () => {
    const { report } = await run(client(result), { resumeSession: "s-1" });
    expect(report).toMatchObject({ final: "success", lastWords: "--resume s-1" });
  });

  test("that the client has forgotten is begun anew", async () => {
    const text = `if (process.argv.includes("--resume")) { console.error("No conversation found with session ID: s-1"); process.exit(1); } ${result}`;
    let starts = 0;
    const { report } = await run(client(text), { resumeSession: "s-1", onStart: () => void starts++ });
    expect(report).toMatchObject({ final: "success", session: "new", lastWords: "", exitCode: 0 });
    expect(starts).toBe(2);
  });

  test("that failed for another reason is not tried again", async () => {
    let starts = 0;
    const { report } = await run(client("process.exit(1)"), { resumeSession: "s-1", onStart: () => void starts++ });
    expect(report.exitCode).toBe(1);
    expect(starts).toBe(1);
  });
});

describe("an agent that does not end", () => {
  test("is ended with its whole group when it is aborted", async () => {
    const file = join(tempFolder(), "pids");
    const abort = new AbortController();
    const running = run(program("", { command: family(file, true) }), { signal: abort.signal, graceMs: 50 });
    const pids = await pidsIn(file, 2);
    abort.abort();
    const { report } = await running;
    expect(report).toMatchObject({ ended: "interrupted", signal: "SIGKILL" });
    expect(successOf(report)).toMatchObject({ failure: "interrupted" });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test("is ended with its whole group when its time is over", async () => {
    const file = join(tempFolder(), "pids");
    const { report } = await run(program("", { command: family(file, true) }), { timeoutMs: 500, graceMs: 50 });
    expect(report).toMatchObject({ ended: "timeout", signal: "SIGKILL" });
    expect(successOf(report)).toMatchObject({ failure: "timeout", retry: true });
    expect((await pidsIn(file, 2)).filter(isAlive)).toEqual([]);
  });

  test("is ended when it is silent", async () => {
    const { report } = await run(program(LIVES, { idleTimeoutMs: 100 }));
    expect(successOf(report)).toMatchObject({ failure: "idle-timeout" });
  });

  test("is known by its identity from the start", async () => {
    const seen: string[] = [];
    await run(program(""), { onStart: (process) => void seen.push(livenessOf(process)) });
    expect(seen).toEqual(["alive"]);
  });
});

describe("very much output", () => {
  const MIB = 1024 * 1024;
  const flood = (line: string) =>
    `const block = Buffer.alloc(${MIB}, ${JSON.stringify(line)}, "latin1"); for (let i = 0; i < 200; i++) require("node:fs").writeSync(1, block);`;

  test.for([
    ["in lines", `${"x".repeat(127)}\n`, "text"],
    ["without a newline", "x", "text"],
    ["without a newline, where JSON was expected", "{", "claude-stream-json"],
    ["of bytes that are no text", `${"\xff\xfe".repeat(200)}\n`, "text"],
  ] as const)("200 MiB %s: bounded memory, a capped log, the end still read", async ([, line, output]) => {
    const end = JSON.stringify({ type: "result", subtype: "success", is_error: false, result: "the end" });
    const before = process.memoryUsage().rss;
    let most = before;
    const sample = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const { report, logFile } = await run(program(`${flood(line)} console.log("\\n" + ${JSON.stringify(end)})`, { output }), {
      logMaxBytes: MIB,
      onLine: () => undefined,
    });
    clearInterval(sample);
    expect(report.lastWords).toContain("the end");
    expect(statSync(logFile).size + statSync(`${logFile}.1`).size).toBeLessThanOrEqual(MIB);
    expect(readFileSync(logFile, "utf8")).toContain("the end");
    expect((most - before) / MIB).toBeLessThan(150);
  });
});

test("a log that cannot be opened stops the log, not the agent", async () => {
  const { report } = await run(program("console.log('worked')"), { logFile: "/dev/null/1.log" });
  expect(report).toMatchObject({ exitCode: 0, lastWords: "worked" });
});
