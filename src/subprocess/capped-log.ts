import { closeSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A log file that never holds more than `maxBytes`: when half of it is full, the file becomes `<path>.1` and a
 * new one begins, so the newest output is always kept. A disk that is full stops the log, never the work.
 */
export type CappedLog = { write(chunk: Uint8Array | string): void; close(): void };

export function openCappedLog(path: string, maxBytes: number): CappedLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let file: number | undefined = openSync(path, "w", 0o600);
  let size = 0;
  return {
    write(chunk) {
      if (file === undefined) return;
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      try {
        if (size > 0 && size + bytes.length > maxBytes / 2) {
          closeSync(file);
          renameSync(path, `${path}.1`);
          file = openSync(path, "w", 0o600);
          size = 0;
        }
        size += writeSync(file, bytes);
      } catch {
        file = undefined;
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}
