import { statfsSync } from "node:fs";
import { GraftworkError, systemCode } from "../domain/index.ts";

/** With less free space than this, any failure may be due to it. */
const NEEDED_BYTES = 16 * 1024 * 1024;

export function isDiskFull(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize < NEEDED_BYTES;
  } catch {
    return false;
  }
}

/**
 * Returns the error, or one that says that the disk is full. Not every program says so itself, so the disk is looked at
 * before anything on it is deleted.
 */
export function orDiskFull(error: unknown, path: string): unknown {
  const known = error instanceof GraftworkError && (error.code === "QA_BLOCKED" || error.code === "INTERRUPTED");
  const said = error instanceof GraftworkError ? `${error.because} ${String(error.details["code"])}` : systemCode(error);
  if (known || !(/ENOSPC|EDQUOT|No space left|quota exceeded/i.test(said ?? "") || isDiskFull(path))) return error;
  return new GraftworkError("QA_BLOCKED", {
    message: "The disk is full.",
    because: `a checkout of the work did not fit into ${path}.`,
    try: "free some space, or name a cache folder elsewhere in XDG_CACHE_HOME.",
    cause: error,
  });
}
