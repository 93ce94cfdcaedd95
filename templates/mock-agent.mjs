#!/usr/bin/env node
// The mock agent: a stand-in for a coding agent that does what a script says, without a model, a network or a cost.
// Without a script it writes mock/<task>.md and commits it, so that any plan runs.
//
// A script is JSON, read from the file that GRAFTWORK_MOCK_SCRIPT names, else from a block of the task's description
// fenced with ```mock-agent:
//
//   {"tasks": {"login": [[STEP, ...], [STEP, ...]], "*": [[STEP, ...]]}}    steps for each task and attempt
//   [[STEP, ...], [STEP, ...]]                                              the same for whatever task it is given
//
// The last attempt stands for all after it; "*" for every task that is not named. A STEP is an object with one of:
//   write, append: PATH (with "text")      delete: PATH
//   replaceLine: PATH (with "line": from 1, "text")   two tasks that replace the same line conflict
//   commit: MESSAGE (adds everything)      run: [PROGRAM, ARGUMENT, ...]
//   print: TEXT      printError: TEXT      flood: MEGABYTES of output
//   promise: NAME (with "reason", "task")  prints <promise>NAME: task</promise>
//   exit: CODE       crash: true           rateLimit: true
//   sleep: MS        hang: true            ignoreTerm: true (from here on, SIGTERM and SIGINT do nothing)
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const task = process.env.GRAFTWORK_TASK_ID ?? "task";
const attempt = Number(process.env.GRAFTWORK_ATTEMPT ?? "1");
const EX_TEMPFAIL = 75;

const steps = {
  write: (path, { text = "" }) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  },
  append: (path, { text = "" }) => {
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, text);
  },
  delete: (path) => rmSync(path, { recursive: true, force: true }),
  replaceLine: (path, { line = 1, text = "" }) => {
    const lines = readFileSync(path, "utf8").split("\n");
    lines[line - 1] = text;
    writeFileSync(path, lines.join("\n"));
  },
  commit: (message) => {
    run("git", "add", "--all");
    // A machine without an identity of its own must not stop a demonstration.
    const known = spawnSync("git", ["config", "user.email"]).status === 0;
    const identity = known ? [] : ["-c", "user.name=Mock agent", "-c", "user.email=mock@agent.invalid"];
    run("git", ...identity, "commit", "--quiet", "-m", message);
  },
  run: (argv) => run(...argv),
  print: (text) => print(1, `${text}\n`),
  printError: (text) => print(2, `${text}\n`),
  flood: (megabytes) => {
    const block = `${"x".repeat(1023)}\n`.repeat(64);
    for (let written = 0; written < megabytes * 16; written++) print(1, block);
  },
  promise: (name, { task: id = task, reason = "" }) => print(1, `${reason}\n<promise>${name}: ${id}</promise>\n`),
  exit: (code) => process.exit(code),
  crash: async () => {
    process.kill(process.pid, "SIGKILL");
    await wait(60_000);
  },
  rateLimit: () => {
    print(2, "mock: rate limit\n");
    process.exit(EX_TEMPFAIL);
  },
  sleep: (ms) => wait(ms),
  hang: async () => {
    for (;;) await wait(1_000_000);
  },
  ignoreTerm: () => {
    process.on("SIGTERM", () => undefined);
    process.on("SIGINT", () => undefined);
  },
};

function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (error !== undefined || status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.code ?? `exit ${status}`}`);
}

/** Whole or not at all, also into a pipe that is full; whoever reads may have gone. */
function print(stream, text) {
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(stream, rest));
    } catch (error) {
      if (error.code === "EPIPE") process.exit(0);
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

function readScript() {
  if (process.env.GRAFTWORK_MOCK_SCRIPT) return JSON.parse(readFileSync(process.env.GRAFTWORK_MOCK_SCRIPT, "utf8"));
  const brief = process.env.GRAFTWORK_BRIEF ? readFileSync(process.env.GRAFTWORK_BRIEF, "utf8") : "";
  const block = /^```mock-agent\n([\s\S]*?)\n```$/m.exec(brief);
  return block === null ? undefined : JSON.parse(block[1]);
}

function stepsOf(script) {
  const tasks = Array.isArray(script) ? { "*": script } : (script?.tasks ?? {});
  const attempts = Object.hasOwn(tasks, task) ? tasks[task] : tasks["*"];
  if (attempts === undefined) return visibleChange();
  return attempts[Math.min(attempt, attempts.length) - 1] ?? [];
}

function visibleChange() {
  return [
    // Named for the run too: the same task in a second run must change something again.
    {
      write: `mock/${task}.md`,
      text: `# ${task}\n\nWritten by the mock agent in attempt ${attempt} of ${process.env.GRAFTWORK_RUN ?? "no run"}.\n`,
    },
    { commit: `${task}: a note by the mock agent` },
    { promise: "READY_FOR_QA", reason: `Wrote mock/${task}.md.` },
  ];
}

try {
  for (const step of stepsOf(readScript())) {
    const name = Object.keys(step).find((key) => Object.hasOwn(steps, key));
    if (name === undefined) throw new Error(`unknown step ${JSON.stringify(step)}`);
    await steps[name](step[name], step);
  }
  process.exit(0);
} catch (error) {
  print(2, `mock agent: ${error.message}\n`);
  process.exit(1);
}
