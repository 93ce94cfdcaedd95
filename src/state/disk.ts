import {
  chmodSync as chmod,
  copyFileSync as copyFile,
  cpSync as cp,
  existsSync,
  fdatasyncSync as fdatasync,
  fsyncSync as fsync,
  ftruncateSync as ftruncate,
  linkSync as link,
  mkdirSync as makeOne,
  mkdtempSync as mkdtemp,
  openSync as open,
  renameSync as rename,
  rmSync as rm,
  rmdirSync as rmdir,
  statSync,
  symlinkSync as symlink,
  unlinkSync as unlink,
  utimesSync as utimes,
  writeSync as write,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { failpoint } from "../subprocess/index.ts";

/**
 * Node's calls that change the file system, as every module of ours uses them: the same names and arguments, with a
 * failpoint before (`fs.<call>`) and after (`done.fs.<call>`), so that no write can be forgotten by the crash tests.
 */
function watched<Call extends (...args: never[]) => unknown>(name: string, call: Call): Call {
  const run = (...args: Parameters<Call>): unknown => {
    let result: unknown;
    try {
      failpoint(`fs.${name}`);
      result = call(...args);
    } catch (error) {
      throw told(error, args[0]);
    }
    failpoint(`done.fs.${name}`);
    return result;
  };
  return run as Call;
}

/** Whatever is being written, these mean the same to everybody: nothing can be written now. */
const NOTHING_CAN_BE_WRITTEN: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"]);

function told(error: unknown, target: unknown): unknown {
  return NOTHING_CAN_BE_WRITTEN.has(systemCode(error) ?? "") ? unwritable(typeof target === "string" ? target : "a file", error) : error;
}

/** The error of a write that failed, in words; one that is told already stays as it is. */
export function unwritable(path: string, error: unknown): GraftworkError {
  if (error instanceof GraftworkError) return error;
  const code = systemCode(error) ?? "unknown";
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new GraftworkError("STATE_UNWRITABLE", {
    message: `${path} could not be written.`,
    because: isFull ? "the disk is full; what was there before is kept." : `the system says ${code}; what was there before is kept.`,
    try: isFull
      ? "free some space and run the same command again."
      : "check the folder's permissions and the system's limits, and run the same command again.",
    details: { path, code },
    cause: error,
  });
}

/**
 * Makes a folder, and its parents if `recursive`. Returns the first one that it made. Node's own `recursive` loops forever if
 * the system answers ENOENT although the parent exists, as in /proc.
 */
function mkdir(path: string | Buffer, options: { recursive?: boolean; mode?: number } = {}): string | undefined {
  const { mode } = options;
  // A name that is not UTF-8 comes from a folder listing, so its parent exists.
  if (options.recursive !== true || typeof path !== "string") return makeOne(path, options);
  let first: string | undefined;
  // Another process may remove an empty folder in between.
  for (let tries = 1; ; tries++) {
    const missing: string[] = [];
    for (let at = resolve(path); !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
    try {
      for (const folder of missing) if (makeIfMissing(folder, mode)) first ??= folder;
      if (!statSync(path).isDirectory()) makeOne(path);
      return first;
    } catch (error) {
      if (tries === 10 || systemCode(error) !== "ENOENT") throw error;
    }
  }
}

/** True if it made the folder. */
function makeIfMissing(folder: string, mode: number | undefined): boolean {
  try {
    makeOne(folder, { mode });
    return true;
  } catch (error) {
    if (systemCode(error) !== "EEXIST" || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
    return false;
  }
}

export const chmodSync: typeof chmod = watched("chmod", chmod);
export const copyFileSync: typeof copyFile = watched("copyFile", copyFile);
export const cpSync: typeof cp = watched("cp", cp);
export const fdatasyncSync: typeof fdatasync = watched("fdatasync", fdatasync);
export const fsyncSync: typeof fsync = watched("fsync", fsync);
export const ftruncateSync: typeof ftruncate = watched("ftruncate", ftruncate);
export const linkSync: typeof link = watched("link", link);
export const mkdirSync: typeof mkdir = watched("mkdir", mkdir);
export const mkdtempSync: typeof mkdtemp = watched("mkdtemp", mkdtemp);
export const openSync: typeof open = watched("open", open);
export const renameSync: typeof rename = watched("rename", rename);
export const rmdirSync: typeof rmdir = watched("rmdir", rmdir);
export const rmSync: typeof rm = watched("rm", rm);
export const symlinkSync: typeof symlink = watched("symlink", symlink);
const unlinkSync: typeof unlink = watched("unlink", unlink);
export const utimesSync: typeof utimes = watched("utimes", utimes);
export const writeSync: typeof write = watched("write", write);

/** Deletes a file that may be gone already. Half the work of `rmSync`, which looks first and can do more. */
export function removeFile(path: string | Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
