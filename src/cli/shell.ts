import { isatty } from "node:tty";
import { cleanText, type ExitCode, GraftworkError, systemCode, terminalText } from "../domain/index.ts";
import { abandonCommands } from "../subprocess/index.ts";
import { errorJson, errorText } from "./render-error.ts";

/** The terminal and process as commands see them: the only place that touches stdout, stderr, argv and signals. */
export type Shell = {
  cwd: string;
  env: Readonly<NodeJS.ProcessEnv>;
  json: boolean;
  /** Standard output is a terminal. */
  isTty: boolean;
  color: boolean;
  unicode: boolean;
  /** Columns of the terminal, at most 100; 80 elsewhere. */
  width: number;
  /** Narration and progress, to stderr. */
  note: (line: string) => void;
  /** Text to stdout, cleaned; not used with `--json`. */
  write: (text: string) => void;
  /** A file's own text to stdout, as it is. */
  writeRaw: (text: string) => void;
  /** The verb's answer: text for people, one object with `--json`. */
  answer: (text: string, object: object) => void;
  /** Somebody is at a terminal, so a question can be answered. */
  canAsk: boolean;
  /** Shows the lines on the terminal and asks a yes/no question. If nobody can answer, shows nothing and returns undefined. */
  ask: (question: string, lines: readonly string[]) => Promise<boolean | undefined>;
  /** Aborted at the first Ctrl-C or TERM. */
  interrupted: () => AbortSignal;
};

export function makeShell(json: boolean): Shell {
  const { env, stdout, stderr } = process;
  stdout.on("error", onUnwritable);
  // Then there is nobody to tell.
  stderr.on("error", () => undefined);
  for (const signal of SIGNALS) process.on(signal, endAtOnce);
  const note = (line: string): void => {
    stderr.write(`${terminalText(line, wantsColor(env, stderr.isTTY === true))}\n`);
  };
  const color = wantsColor(env, stdout.isTTY === true);
  // To ask `process.stdin` would create it, which takes 4 ms.
  const canAsk = isatty(0) && stderr.isTTY === true;
  // A terminal that says it has no columns cannot be drawn on.
  const isTty = stdout.isTTY === true && stdout.columns > 0 && env["TERM"] !== "dumb" && env["CI"] === undefined;
  return {
    cwd: process.cwd(),
    env,
    json,
    isTty,
    color,
    unicode: isUtf8(env),
    width: Math.min(100, Math.max(40, stdout.columns || 80)),
    note,
    write: (text) => {
      if (json) stderr.write(terminalText(text, color));
      else stdout.write(terminalText(text, color));
    },
    writeRaw: (text) => stdout.write(text),
    answer: (text, object) => {
      if (json) stdout.write(`${JSON.stringify({ ok: true, schemaVersion: 1, ...object })}\n`);
      else if (text !== "") stdout.write(terminalText(text.endsWith("\n") ? text : `${text}\n`, color));
    },
    canAsk,
    ask: async (question, lines) => {
      if (!canAsk) return undefined;
      for (const line of lines) note(line);
      return ask(question);
    },
    interrupted: () => {
      for (const signal of SIGNALS) process.off(signal, endAtOnce);
      return onInterrupt();
    },
  };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** For what has no gentle end: its programs are ended with it, and the next verb puts right what was half done. */
function endAtOnce(signal: NodeJS.Signals): void {
  abandonCommands();
  for (const one of SIGNALS) process.off(one, endAtOnce);
  process.stderr.write("interrupted; the next verb finishes or undoes what was begun\n");
  process.kill(process.pid, signal);
}

/** Whoever read our output may have left (`status | head -1`): what was done is done, and the exit code says so. */
function onUnwritable(error: Error): void {
  if (systemCode(error) === "EPIPE") return;
  const unwritten = new GraftworkError("STATE_UNWRITABLE", {
    message: "The answer could not be written.",
    because: cleanText(error.message),
    try: "make room, and ask again: what the command did is done.",
  });
  process.stderr.write(errorText(unwritten, false));
  process.exitCode = unwritten.exitCode;
}

/** Prints an error and returns its exit code. Anything that is not a GraftworkError is a defect of ours. */
export function reportError(shell: Shell, error: unknown): ExitCode {
  const known = error instanceof GraftworkError ? error : defect(error);
  if (shell.json) process.stdout.write(`${JSON.stringify(errorJson(known))}\n`);
  else process.stderr.write(errorText(known, shell.color));
  if (known.code === "INTERNAL" && shell.env["GRAFTWORK_DEBUG"] !== undefined && error instanceof Error)
    process.stderr.write(`${cleanText(error.stack ?? "")}\n`);
  return known.exitCode;
}

function defect(error: unknown): GraftworkError {
  return new GraftworkError("INTERNAL", {
    message: "graftwork met a defect of its own.",
    because: cleanText(error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    try: "run the same command with GRAFTWORK_DEBUG=1 and report what it prints; your work is in git as it was.",
    cause: error,
  });
}

/** NO_COLOR over FORCE_COLOR over what the terminal is. */
function wantsColor(env: Readonly<NodeJS.ProcessEnv>, tty: boolean): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  if ((env["FORCE_COLOR"] ?? "") !== "" && env["FORCE_COLOR"] !== "0") return true;
  return tty && env["TERM"] !== "dumb";
}

function isUtf8(env: Readonly<NodeJS.ProcessEnv>): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return /utf-?8/i.test(locale) || (locale === "" && process.platform === "darwin");
}

async function ask(question: string): Promise<boolean> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

/** The first signal asks long work to end gently; the second ends the process at once, its state is consistent. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (controller.signal.aborted && signal !== "SIGHUP") process.kill(process.pid, "SIGKILL");
      controller.abort(signal);
    });
  }
  return controller.signal;
}
