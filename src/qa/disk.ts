import { statfsSync } from "node:fs";
import { GraftworkError, systemCode } from "../domain/index.ts";

/** With less than this, whatever fails may fail for want of space. */
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
 * The error, or in its place that the disk is full: not every program says so itself, so this is asked while what
 * filled the disk is still there.
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
