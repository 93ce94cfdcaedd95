import {
  type AgentReport,
  type AgentSpec,
  cleanText,
  hideCredentials,
  type ProcessIdentity,
  systemCode,
  tailLines,
} from "../domain/index.ts";
import { type CappedLog, type CommandEnd, childEnvironment, openCappedLog, runCommand } from "../subprocess/index.ts";
import { argvOf } from "./argv.ts";
import { splitLines } from "./line-splitter.ts";
import { readerFor } from "./output-reader.ts";
import { watchPromises, withoutMarkers } from "./promise.ts";
import type { Reading } from "./reading.ts";
import { isForgottenSession, isRateLimited, rateLimitPattern } from "./symptoms.ts";

export type AgentStart = {
  spec: AgentSpec;
  /** The slot's folder: checked by the caller just before. */
  cwd: string;
  /** The prompt, whole. */
  brief: string;
  /** Where the caller has written it. */
  briefFile: string;
  /** Signals count for this task only. */
  task: string;
  logFile: string;
  logMaxBytes: number;
  /** The `GRAFTWORK_*` variables of the lease. */
  environment: Readonly<Record<string, string>>;
  parentEnv: Readonly<NodeJS.ProcessEnv>;
  /** A conversation to go on with; null: a new one. */
  resumeSession: string | null;
  /** Null: the spec's. */
  timeoutMs: number | null;
  /** Takes secrets out of what the agent prints, before anything keeps it. */
  hide?: (text: string) => string;
  /** Ends the agent: TERM to its group, `graceMs`, KILL. */
  signal?: AbortSignal;
  /** Default 5,000. */
  graceMs?: number;
  /** Called twice where the client had forgotten the conversation and a new one was begun. */
  onStart?: (process: ProcessIdentity) => void;
  /** Each line worth showing, cleaned: the agent's words and the tools it uses, or what it prints. */
  onLine?: (line: string) => void;
};

/** A longer line is skipped: no client's message is so long, and memory must stay bounded. */
const LINE_BYTES = 8 * 1024 * 1024;
const TAIL_LINES = 20;
const DETAIL_CHARACTERS = 4_000;
const WORDS_CHARACTERS = 500;

/**
 * Runs an agent until its process group is gone, and reports what it looked like from outside. Where the client no
 * longer knows the conversation that was to be resumed, a new one is begun: the brief is whole.
 */
export async function runAgent(start: AgentStart): Promise<AgentReport> {
  const first = await runOnce(start, start.resumeSession);
  if (start.resumeSession === null || !isForgottenSession(first.report, first.errors)) return first.report;
  const second = await runOnce(start, null);
  return { ...second.report, durationMs: first.report.durationMs + second.report.durationMs };
}

async function runOnce(start: AgentStart, session: string | null): Promise<{ report: AgentReport; errors: string }> {
  const { spec } = start;
  const pattern = rateLimitPattern(spec.rateLimit);
  const promises = watchPromises(start.task, start.brief);
  const reader = readerFor(spec.output, promises);
  const errors = lastLines(TAIL_LINES);
  const hide = start.hide ?? ((text: string) => text);
  const show = (lines: readonly string[]): void => lines.forEach((line) => start.onLine?.(hide(line)));
  const stdout = splitLines(LINE_BYTES, (line) => show(reader.line(line)));
  const stderr = splitLines(LINE_BYTES, (line) => {
    const clean = cleanText(line);
    errors.add(clean);
    if (clean !== "") show([clean]);
  });
  const log = openLog(start.logFile, start.logMaxBytes, hide);
  const end = await runCommand({
    argv: argvOf(spec, { brief: start.brief, briefFile: start.briefFile, session }),
    cwd: start.cwd,
    env: childEnvironment(start.parentEnv, spec.env, {
      ...spec.setEnv,
      NO_COLOR: "1",
      ...start.environment,
      GRAFTWORK_BRIEF: start.briefFile,
    }),
    ...(spec.prompt === "stdin" ? { stdin: start.brief } : {}),
    timeoutMs: start.timeoutMs ?? spec.timeoutMs,
    ...(spec.idleTimeoutMs === null ? {} : { idleTimeoutMs: spec.idleTimeoutMs }),
    // All output has been read on its way; only the log keeps it.
    keepBytes: 0,
    ...(start.signal === undefined ? {} : { signal: start.signal }),
    ...(start.graceMs === undefined ? {} : { graceMs: start.graceMs }),
    ...(start.onStart === undefined ? {} : { onStart: start.onStart }),
    onOutput(chunk, stream) {
      log.write(chunk);
      (stream === "stdout" ? stdout : stderr).add(chunk);
    },
  });
  stdout.end();
  stderr.end();
  log.close();
  const reading = reader.reading();
  const rateLimited = isRateLimited({ end, reading, errors: errors.text(), pattern });
  return {
    report: { ...reportOf(spec, end, reading, { errors: errors.text(), hide }), promise: promises.last(), rateLimited },
    errors: `${errors.text()}\n${reading.error}`,
  };
}

type Said = { errors: string; hide: (text: string) => string };

function reportOf(
  spec: AgentSpec,
  end: CommandEnd,
  reading: Reading,
  { errors, hide }: Said,
): Omit<AgentReport, "promise" | "rateLimited"> {
  const ended = end.notStarted !== null ? "not-started" : end.ended === "aborted" ? "interrupted" : end.ended;
  return {
    ended,
    exitCode: end.code,
    signal: end.signal,
    final: reading.final,
    session: reading.session,
    usage: reading.usage,
    lastWords: withoutMarkers(hide(cleanText(reading.words))).slice(0, WORDS_CHARACTERS),
    permissionDenials: reading.permissionDenials,
    detail: end.notStarted !== null ? notStarted(spec, end.notStarted) : detailOf(reading, hide(errors), hide),
    durationMs: end.durationMs,
  };
}

/** A first run often meets a client that is not installed: the words say what to do about it. */
function notStarted(spec: AgentSpec, code: string): string {
  const [program] = spec.command;
  const name = `\`agents.${spec.name}.command\` of .claude/auto-context.yaml${spec.name === "claude" ? " or in CLAUDE_CODE" : ""}`;
  if (code === "ENOENT" && !program.includes("/"))
    return `there is no program ${program} on the PATH (${code}); install it, or name its path in ${name}`;
  if (code === "ENOENT" || code === "EACCES")
    return `${program} ${code === "ENOENT" ? "is not there" : "may not be executed"} (${code}); name the program in ${name}`;
  if (code === "E2BIG") return `the brief is too long for an argument (${code}); set \`agents.${spec.name}.prompt\` to stdin or file`;
  return `${program}: ${code}`;
}

function detailOf(reading: Reading, errors: string, hide: Said["hide"]): string {
  const said = [errors, reading.error].filter((text) => text.trim() !== "");
  const text = said.length === 0 ? reading.words : said.join("\n");
  return tailLines(hideCredentials(hide(cleanText(text))), TAIL_LINES).slice(-DETAIL_CHARACTERS);
}

/** A log that cannot be opened (a full disk) stops the log, not the agent. */
function openLog(path: string, maxBytes: number, hide: Said["hide"]): CappedLog {
  try {
    return openCappedLog(path, maxBytes, hide);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return { write: () => undefined, close: () => undefined };
  }
}

function lastLines(count: number): { add(line: string): void; text(): string } {
  let lines: string[] = [];
  return {
    add(line) {
      if (line.trim() !== "") lines = [...lines, line.slice(0, 2_000)].slice(-count);
    },
    text: () => lines.join("\n"),
  };
}
