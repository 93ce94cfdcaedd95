import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { doTextWork, type SentWork, type TextResult, type TextWork, textsIn, withTexts } from "./text-work.ts";

/** Limits of one piece of work. An agent may have written the texts. */
const LIMITS = { bytes: 64 * 2 ** 20, lines: 2_000_000, deadlineMs: 10_000, memoryMb: 1_536 } as const;

/** Smaller work is done in this thread: handing it over would take longer. */
const SMALL = { bytes: 64 * 2 ** 10, lines: 600 } as const;

/** The answer, or why there is none. */
export type Done<Kind extends TextWork["kind"]> = { kind: "done"; result: TextResult[Kind] } | { kind: "none"; why: string };

/**
 * Does work on texts without blocking this thread. Larger work goes to another thread, with limits and a deadline.
 * Never throws for what is in the texts.
 */
export async function besideLoop<Work extends TextWork>(work: Work): Promise<Done<Work["kind"]>> {
  const texts = textsIn(work);
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  let lines = 0;
  if (bytes <= LIMITS.bytes) for (const text of texts) lines += await afterTurn(() => linesIn(text), text);
  if (bytes > LIMITS.bytes || lines > LIMITS.lines) return { kind: "none", why: "it is too large to be merged by rules" };
  const file = workerFile();
  if ((bytes <= SMALL.bytes && lines <= SMALL.lines) || file === undefined)
    return { kind: "done", result: (await doTextWork(work)) as TextResult[Work["kind"]] };
  return inTurn(async () => {
    const sent: Uint8Array[] = [];
    for (const text of texts) sent.push(await afterTurn(() => encoder.encode(text), text));
    return inWorker<Work["kind"]>(file, {
      work: withTexts(
        work,
        texts.map(() => ""),
      ),
      texts: sent,
    });
  });
}

const encoder = new TextEncoder();

/** Runs `look`; before a large text, the event loop gets a turn. */
async function afterTurn<Result>(look: () => Result, text: string): Promise<Result> {
  if (text.length > SMALL.bytes) await setImmediate();
  return look();
}

function linesIn(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

/** One at a time: each may need all the memory that the limit allows. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const next = last.then(work, work);
  last = next.catch(() => undefined);
  return next;
}

let idle: Worker | undefined;

function inWorker<Kind extends TextWork["kind"]>(file: string, sent: SentWork): Promise<Done<Kind>> {
  const worker = idle ?? new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: LIMITS.memoryMb } });
  idle = worker;
  return new Promise((resolve) => {
    const end = (done: Done<Kind>, isReusable: boolean): void => {
      clearTimeout(timer);
      worker.removeAllListeners();
      // An idle thread keeps no process alive.
      worker.unref();
      if (!isReusable) {
        idle = undefined;
        // An error that comes on its way out is no news.
        worker.on("error", () => undefined);
        void worker.terminate();
      }
      resolve(done);
    };
    const timer = setTimeout(
      () => end({ kind: "none", why: `there are too many places to decide: no proof within ${LIMITS.deadlineMs / 1000} s` }, false),
      LIMITS.deadlineMs,
    );
    worker.ref();
    worker.on("message", (said: { result: TextResult[Kind] } | { error: string }) =>
      end("result" in said ? { kind: "done", result: said.result } : { kind: "none", why: said.error }, true),
    );
    // Out of memory, for one.
    worker.on("error", (error) => end({ kind: "none", why: error.message }, false));
    worker.on("exit", () => end({ kind: "none", why: "the thread that merges ended" }, false));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
    worker.postMessage(
      sent,
      sent.texts.map(({ buffer }) => buffer as ArrayBuffer),
    );
  });
}

/** Beside the bundle, or in `dist` above the sources; undefined if somebody bundled this library into something else. */
function workerFile(): string | undefined {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = [join(folder, "worker.cjs"), join(folder, "dist", "worker.cjs")].find((path) => existsSync(path));
    if (found !== undefined || dirname(folder) === folder) return found;
  }
}
