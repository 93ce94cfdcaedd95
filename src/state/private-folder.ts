import { existsSync, lstatSync, realpathSync, statSync } from "node:fs";
import { dirname, sep } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { chmodSync, mkdirSync } from "./disk.ts";

/**
 * Makes a folder that only its user can enter, whatever the umask, and returns its real path. A folder of this user that
 * is there already is closed to others. Throws FOLDER_REFUSED if it belongs to another user, or if others could have put
 * something into it: it was open to them, and so is the folder around it. System errors are thrown as they are.
 */
export function privateFolder(path: string): string {
  const isNew = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined;
  const real = realpathSync(path);
  const { uid, mode } = statSync(real);
  if (process.getuid !== undefined && uid !== process.getuid())
    throw refused(real, "it belongs to another user, who could change what is in it");
  if ((mode & 0o077) === 0) return real;
  const isShared = (statSync(dirname(real)).mode & 0o022) !== 0;
  if (!isNew && isShared && (mode & 0o022) !== 0) throw refused(real, "other users can write into it, and into the folder around it");
  chmodSync(real, 0o700);
  return real;
}

/** True if no link leads from this path, as far as it is there, out of `root`. A link that nothing is behind leads out. */
export function isWithin(root: string, path: string): boolean {
  const real = realpathSync(root);
  for (let at = path; ; at = dirname(at)) {
    if (lstatSync(at, { throwIfNoEntry: false }) === undefined && at !== dirname(at)) continue;
    if (!existsSync(at)) return false;
    const found = realpathSync(at);
    return found === real || found.startsWith(`${real}${sep}`);
  }
}

/** Throws FOLDER_REFUSED if a link leads from this path out of `root`. */
export function requireWithin(root: string, path: string): void {
  if (!isWithin(root, path)) throw refused(path, `a link on the way leads out of ${root}`);
}

function refused(path: string, because: string): GraftworkError {
  return new GraftworkError("FOLDER_REFUSED", {
    message: `The folder ${path} is not used.`,
    because: `${because}.`,
    try: "look at what is there and take it away, or name another folder (`pool.dir`, XDG_CACHE_HOME).",
    details: { path },
  });
}
