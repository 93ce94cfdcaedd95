// Programs that the benchmark starts. All are awaited, never waited for synchronously, so that Ctrl-C is heard at once.
import { spawn } from "node:child_process";

const running = new Set();

/**
 * Runs a program to its end: `{ code, signal, stdout, stderr }`, whatever came of it. `killWhen` is asked each
 * millisecond, with those passed since the start, and ends the program and all it started as a crash would.
 */
export function run(program, args, { cwd, env, input = "", killWhen } = {}) {
  return new Promise((resolve, reject) => {
    // A group of its own, so that an interrupted benchmark takes grandchildren along.
    const child = spawn(program, args, { cwd, env, detached: true });
    running.add(child);
    const start = performance.now();
    const timer = killWhen === undefined ? undefined : setInterval(() => killWhen(performance.now() - start) && endGroup(child), 1);
    const read = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) child[stream].setEncoding("utf8").on("data", (text) => (read[stream] += text));
    child.stdin.on("error", () => undefined);
    if (typeof input === "string") child.stdin.end(input);
    else input.pipe(child.stdin);
    const settle = (finish) => (value) => {
      running.delete(child);
      clearInterval(timer);
      finish(value);
    };
    child.on("error", settle(reject));
    child.on(
      "close",
      settle((code) => resolve({ code, signal: child.signalCode, ...read })),
    );
  });
}

/** As `run`; throws where the program failed. */
export async function must(program, args, options) {
  const result = await run(program, args, options);
  if (result.code === 0) return result;
  throw new Error(`${oneLine([program, ...args].join(" ")).slice(0, 100)}: ${lastWords(result)}`);
}

/** The reason of a failure in one line that fits a table; where files lie in this run is nobody's matter. */
export function lastWords({ code, signal, stderr, stdout = "" }) {
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
  const said = oneLine(lines.find((line) => /\b(fatal|error)\b/i.test(line)) ?? lines.at(-1) ?? "");
  return `ended with ${code ?? signal}${said === "" ? "" : ` (${said.slice(0, 160)})`}`;
}

/** Text as a cell of a table can hold it. */
export function oneLine(text) {
  return text
    .replaceAll("\n", " ")
    .replaceAll("|", "/")
    .replaceAll(/(file:\/\/)?\/[^\s"'`]*\//g, "")
    .trim();
}

export function endAll() {
  for (const child of running) endGroup(child);
}

function endGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
