import { type ChildProcess, spawn } from "node:child_process";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { type ProcessIdentity, systemCode } from "../domain/index.ts";
import { failpoint } from "./failpoint.ts";
import { identityOf, uptimeMs } from "./identity.ts";
import { endGroup } from "./process-group.ts";

export type Command = {
  argv: readonly [string, ...string[]];
  /** Absolute folder. */
  cwd: string;
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Sent and closed; without it standard input is empty. */
  stdin?: string | Uint8Array;
  /** Ends the whole process group when it has run so long. */
  timeoutMs?: number;
  /** Ends the whole process group when it has printed nothing for so long. */
  idleTimeoutMs?: number;
  /** Bytes kept in memory per stream; the newest are kept and `overflow` is set. Default 64 MiB. */
  keepBytes?: number;
  /** Between TERM and KILL. Default 5,000. */
  graceMs?: number;
  signal?: AbortSignal;
  onStart?: (process: ProcessIdentity) => void;
  onOutput?: (chunk: Buffer, stream: "stdout" | "stderr") => void;
};

export type CommandEnd = {
  /** Set where the program could not be started: ENOENT, EACCES, …. Then nothing ran. */
  notStarted: string | null;
  ended: "exited" | "timeout" | "idle-timeout" | "aborted";
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: Buffer;
  /** True where more was printed than is kept. */
  overflow: boolean;
  durationMs: number;
};

/** A pipe that a grandchild still holds is waited for so long after the process itself has ended. */
const PIPE_DEADLINE_MS = 2_000;

/** Leaders of the groups that run at this moment: a terminal's Ctrl-C does not reach them. */
const live = new Set<number>();

/** Asks all that `runCommand` has under way to end; for a program that is about to be ended itself. */
export function abandonCommands(): void {
  for (const pid of live) {
    try {
      process.kill(-pid, "SIGTERM");
    } catch {
      // It has just ended by itself.
    }
  }
}

/**
 * Runs one command in a process group of its own and waits for its end. A non-zero exit is a value, not an
 * exception; when the group's leader has ended, what is left of the group is ended too. Never throws.
 */
export async function runCommand(command: Command): Promise<CommandEnd> {
  const started = uptimeMs();
  const keep = command.keepBytes ?? 64 * 1024 * 1024;
  const stdout = tailBuffer(keep);
  const stderr = tailBuffer(keep);
  const graceMs = command.graceMs ?? 5_000;
  let ended: CommandEnd["ended"] = "exited";
  const finish = (notStarted: string | null, code: number | null, signal: NodeJS.Signals | null): CommandEnd => ({
    notStarted,
    ended,
    code,
    signal,
    stdout: stdout.take(),
    stderr: stderr.take(),
    overflow: stdout.overflow() || stderr.overflow(),
    durationMs: uptimeMs() - started,
  });
  if (command.signal?.aborted === true) {
    ended = "aborted";
    return finish(null, null, null);
  }

  const point = pointOf(command.argv);
  let child: Output;
  try {
    failpoint(`spawn.${point}`);
    const [program, ...args] = command.argv;
    const options = { cwd: command.cwd, env: { ...command.env }, detached: true } as const;
    child =
      command.stdin === undefined
        ? spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] })
        : spawn(program, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  } catch (error) {
    return finish(systemCode(error) ?? String(error), null, null);
  }
  const end = waitForEnd(child);
  const pid = child.pid;
  if (pid === undefined) return finish((await end).error ?? "unknown", null, null);
  live.add(pid);
  command.onStart?.(identityOf(pid));
  failpoint(`started.${point}`, pid);

  let stopping: Promise<void> | undefined;
  const stop = (why: CommandEnd["ended"]): void => {
    if (stopping !== undefined) return;
    ended = why;
    stopping = endGroup(pid, graceMs);
  };
  const onAbort = (): void => stop("aborted");
  command.signal?.addEventListener("abort", onAbort, { once: true });
  const total = command.timeoutMs === undefined ? undefined : setTimeout(() => stop("timeout"), timerMs(command.timeoutMs));
  const idle = command.idleTimeoutMs === undefined ? undefined : setTimeout(() => stop("idle-timeout"), timerMs(command.idleTimeoutMs));
  const listen = (stream: "stdout" | "stderr", buffer: TailBuffer): void => {
    child[stream].on("data", (chunk: Buffer) => {
      buffer.add(chunk);
      idle?.refresh();
      command.onOutput?.(chunk, stream);
    });
  };
  listen("stdout", stdout);
  listen("stderr", stderr);
  // A program that ends before it has read its input is no fault of ours: its exit code says what it made of it.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(command.stdin);

  const { code, signal } = await end;
  live.delete(pid);
  clearTimeout(total);
  clearTimeout(idle);
  command.signal?.removeEventListener("abort", onAbort);
  await (stopping ?? endGroup(pid, graceMs));
  await drained(child);
  failpoint(`done.spawn.${point}`);
  return finish(null, code, signal);
}

/** `git-read-tree`: the program and its first word that is no option (nor an option's value). */
function pointOf(argv: readonly string[]): string {
  const word = argv.find((arg, index) => index > 0 && !arg.startsWith("-") && argv[index - 1] !== "-c");
  return [basename(argv[0] ?? ""), ...(word === undefined ? [] : [word])].join("-").replace(/[^A-Za-z0-9-]/g, "_");
}

/** A timer of more than 24.8 days would fire at once. */
function timerMs(ms: number): number {
  return Math.min(ms, 2 ** 31 - 1);
}

type Output = ChildProcess & { stdout: Readable; stderr: Readable };

type ChildEnd = { code: number | null; signal: NodeJS.Signals | null; error: string | null };

function waitForEnd(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal, error: null }));
    child.once("error", (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error: systemCode(error) ?? error.message });
    });
  });
}

async function drained(child: Output): Promise<void> {
  if (child.stdout.closed && child.stderr.closed) return;
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    deadline = setTimeout(resolve, PIPE_DEADLINE_MS);
  });
  await Promise.race([closed, late]);
  clearTimeout(deadline);
  child.stdout.destroy();
  child.stderr.destroy();
}

type TailBuffer = { add(chunk: Buffer): void; take(): Buffer; overflow(): boolean };

function tailBuffer(limit: number): TailBuffer {
  let chunks: Buffer[] = [];
  let size = 0;
  let lost = false;
  return {
    add(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limit * 2) return;
      const kept = Buffer.concat(chunks).subarray(size - limit);
      chunks = [Buffer.from(kept)];
      size = kept.length;
      lost = true;
    },
    take() {
      const all = Buffer.concat(chunks);
      if (all.length <= limit) return all;
      lost = true;
      return all.subarray(all.length - limit);
    },
    overflow: () => lost,
  };
}

/** Starts a program that nobody waits for: it goes on when this one has ended. Nothing is said where it cannot start. */
export function startDetached(argv: readonly [string, ...string[]], cwd: string, env: Readonly<Record<string, string>>): void {
  const point = pointOf(argv);
  failpoint(`spawn.${point}`);
  const [program, ...args] = argv;
  const child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio: "ignore" });
  child.on("error", () => undefined);
  child.unref();
  failpoint(`started.${point}`, child.pid);
}
