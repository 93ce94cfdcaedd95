import { argvOf, type Check, type CheckResult, hideSecrets, humanDuration } from "../domain/index.ts";
import { type CommandEnd, openCappedLog, runCommand } from "../subprocess/index.ts";
import { type Bench, LOG_MAX_BYTES } from "./bench.ts";
import { excerptOf } from "./excerpt.ts";
import { type Judging, stopIfAborted } from "./judging.ts";

export type CheckRun = {
  /** `no-runner`: a program could not be run, so that the check itself says nothing about the work. */
  end: "passed" | "failed" | "no-runner";
  /** "exit code 1", "timed out after 10 min": how it ended, for people. */
  how: string;
  /** The last output with both streams together, uncleaned. */
  tail: string;
  result: CheckResult;
};

const TAIL_BYTES = 64 * 1024;

/** Runs one check in a bench, in a process group of its own; afterwards nothing that it started is left. */
export async function runCheck(judging: Judging, bench: Bench, check: Check, suffix = ""): Promise<CheckRun> {
  const { context, request, room, say } = judging;
  const hide = (text: string): string => hideSecrets(text, context.secrets ?? []);
  const log = judging.logFile(`${check.name}${suffix}`);
  const file = openCappedLog(log, LOG_MAX_BYTES, hide);
  // Both streams as they come: kept apart, a message and what it is about would lose each other.
  let tail: Buffer = Buffer.alloc(0);
  const end = await runCommand({
    argv: argvOf(check.run),
    cwd: bench.checkout.dir,
    env: bench.env,
    timeoutMs: check.timeoutMs,
    keepBytes: 1,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    onOutput(chunk) {
      file.write(chunk);
      tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
    },
  });
  await room.sweep();
  const how = howEnded(end, check);
  file.write(`\n${check.name}: ${how}\n`);
  file.close();
  stopIfAborted(request);
  const said = hide(tail.toString("utf8"));
  const state = end.code === 0 && end.ended === "exited" ? "passed" : "failed";
  say(`${check.name}${suffix}: ${state === "passed" ? `passed (${humanDuration(end.durationMs)})` : `failed (${how})`}`);
  return {
    end: state === "passed" ? "passed" : isRunnerMissing(end) ? "no-runner" : "failed",
    how,
    tail: said,
    result: {
      name: check.name,
      state,
      exitCode: end.code,
      durationMs: Math.round(end.durationMs),
      log,
      excerpt: excerptOf(said, bench.checkout.dir),
      flaky: false,
    },
  };
}

/** 126 and 127 are what a shell says of a program that it cannot run or find; npm hands them on. */
function isRunnerMissing(end: CommandEnd): boolean {
  return end.notStarted !== null || (end.ended === "exited" && (end.code === 126 || end.code === 127));
}

function howEnded(end: CommandEnd, check: Check): string {
  if (end.notStarted !== null) return `could not be started: ${end.notStarted}`;
  if (end.ended === "timeout")
    return `timed out after ${check.timeoutMs < 1000 ? `${check.timeoutMs} ms` : humanDuration(check.timeoutMs)}`;
  if (end.ended !== "exited") return end.ended;
  return end.code === null ? `ended by ${end.signal}` : `exit code ${end.code}`;
}
