import { randomUUID } from "node:crypto";
import { closeSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemCode } from "../domain/index.ts";
import {
  copyFileSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  removeFile,
  renameSync,
  rmSync,
  unwritable,
  utimesSync,
  writeSync,
} from "./disk.ts";

/**
 * Writes a file that is not there yet, whole or not at all. A full disk gives short writes without an exception,
 * so every length is checked. Throws STATE_UNWRITABLE; nothing is left then.
 */
export function writeNewFile(path: string, text: string | Uint8Array, flush: boolean): void {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      for (let at = 0; at < bytes.length; ) {
        const written = writeSync(file, bytes, at);
        if (written === 0) throw Object.assign(new Error("short write"), { code: "ENOSPC" });
        at += written;
      }
      if (flush) fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (systemCode(error) !== "EEXIST") removeFile(path);
    throw unwritable(path, error);
  }
}

/** Of a file that is being written; should its writer be killed, it is known by its name. */
const temporaryName = (): string => `.graftwork-${randomUUID()}.tmp`;

export type Replacing = {
  flush?: boolean;
  /** A folder for the unfinished file, where it is on the same file system: beside the file it would be seen. */
  via?: string;
};

/** Replaces a file in one step: readers see the old text or the new one, never a part. Throws STATE_UNWRITABLE. */
export function replaceFile(path: string, text: string | Uint8Array, options: Replacing = {}): void {
  const temporary = join(options.via ?? dirname(path), temporaryName());
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (options.via !== undefined) mkdirSync(options.via, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(path, error);
  }
  writeNewFile(temporary, text, options.flush ?? false);
  try {
    renameSync(temporary, path);
  } catch (error) {
    removeFile(temporary);
    if (systemCode(error) === "EXDEV" && options.via !== undefined) return replaceFile(path, text, { flush: options.flush ?? false });
    throw unwritable(path, error);
  }
}

/** Replaces `to` by a copy of `from` in one step and keeps its times: git's index trusts stat data only with them. */
export function replaceByCopy(from: string, to: string): void {
  const temporary = join(dirname(to), temporaryName());
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    copyFileSync(from, temporary);
    const { atime, mtime } = statSync(from);
    utimesSync(temporary, atime, mtime);
    renameSync(temporary, to);
  } catch (error) {
    removeFile(temporary);
    throw unwritable(to, error);
  }
}

/** Makes a folder with these files (relative path → text) appear in one step; one that is there already is kept. */
export function makeFolderWhole(path: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const prepared = mkdtempSync(`${path}.new.`);
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(prepared, name)), { recursive: true });
      writeNewFile(join(prepared, name), text, true);
    }
    renameSync(prepared, path);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    if (systemCode(error) !== "ENOTEMPTY" && systemCode(error) !== "EEXIST") throw unwritable(path, error);
  }
}

/** Gives a file another name, in place of whatever has it. */
export function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    throw unwritable(to, error);
  }
}
