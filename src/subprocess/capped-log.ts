import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A log file that never holds more than `maxBytes`: when half of it is full, the file becomes `<path>.1` and a
 * new one begins, so the newest output is always kept. A disk that is full stops the log, never the work.
 */
export type CappedLog = { write(chunk: Uint8Array | string): void; close(): void };

/** A secret is no longer than this: so much of a line is held back until its end is there. */
const HELD_BACK = 4 * 1024;
const LINE_MOST = 64 * 1024;

/** `hide` takes secrets out of whole lines before they are written. */
export function openCappedLog(path: string, maxBytes: number, hide?: (text: string) => string): CappedLog {
  const log = openRaw(path, maxBytes);
  if (hide === undefined) return log;
  // A byte a letter, so that no letter is torn.
  let open = "";
  const write = (end: number): void => {
    const bytes = Buffer.from(open.slice(0, end), "latin1");
    const text = bytes.toString("utf8");
    const hidden = hide(text);
    // What is no text stays what it is.
    if (end > 0) log.write(hidden === text ? bytes : hidden);
    open = open.slice(end);
  };
  return {
    write(chunk) {
      open += Buffer.from(chunk).toString("latin1");
      write(open.lastIndexOf("\n") + 1);
      if (open.length > LINE_MOST) write(open.length - HELD_BACK);
    },
    close() {
      write(open.length);
      log.close();
    },
  };
}

function openRaw(path: string, maxBytes: number): CappedLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // The second half of an earlier log of this name would pass for the older part of ours.
  rmSync(`${path}.1`, { force: true });
  const half = Math.max(1, Math.floor(maxBytes / 2));
  let file: number | undefined = openSync(path, "w", 0o600);
  let size = 0;
  return {
    write(chunk) {
      if (file === undefined) return;
      const whole = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      const bytes = whole.subarray(Math.max(0, whole.length - half));
      try {
        if (size > 0 && size + bytes.length > half) {
          renameSync(path, `${path}.1`);
          const full = file;
          file = openSync(path, "w", 0o600);
          closeSync(full);
          size = 0;
        }
        size += writeSync(file, bytes);
      } catch {
        closeQuietly(file);
        file = undefined;
      }
    },
    close() {
      if (file !== undefined) closeQuietly(file);
      file = undefined;
    },
  };
}

/** Some file systems say only now that an earlier write did not fit. */
function closeQuietly(file: number): void {
  try {
    closeSync(file);
  } catch {
    // Nothing to be done: the log is not the work.
  }
}
