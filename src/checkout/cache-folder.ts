import { createHash } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import { privateFolder, userFolder } from "../state/index.ts";

/** The user's cache folder, per repository. */
export function cacheFolder(repository: Repository): string {
  const base = userFolder(repository.parentEnv, "XDG_CACHE_HOME", ".cache");
  return join(base, "graftwork", createHash("sha256").update(repository.commonDir).digest("hex").slice(0, 16));
}

/**
 * Returns the folder where work is judged. It is outside the repository: a folder below would resolve the user's own
 * `node_modules`, and approve work whose dependency is missing. It is below no hidden folder such as `~/.cache`, if
 * possible: many tools (static file servers, test runners) see nothing there, and good work would fail.
 */
export function judgingFolder(repository: Repository): string {
  const cache = join(cacheFolder(repository), "qa");
  return isHidden(cache) && isOpen(besideRepository(repository)) ? besideRepository(repository) : cache;
}

/** All places where work may have been judged. */
export function judgingFolders(repository: Repository): string[] {
  return [besideRepository(repository), join(cacheFolder(repository), "qa")];
}

const besideRepository = ({ root }: Repository): string => join(dirname(root), `${basename(root)}.qa`);

const isHidden = (path: string): boolean => path.split("/").some((part) => part.startsWith("."));

function isOpen(path: string): boolean {
  const parent = dirname(path);
  return isWritable(existsSync(path) ? path : parent) && modulesAbove(parent) === undefined;
}

/**
 * Makes a folder to judge work in, which only its user can enter, and returns its real path. Throws QA_BLOCKED if a
 * `node_modules` above would serve what the work itself does not install, and what `privateFolder` throws.
 */
export function roomsFolder(path: string): string {
  const real = privateFolder(path);
  const modules = modulesAbove(real);
  if (modules !== undefined) {
    throw new GraftworkError("QA_BLOCKED", {
      message: `The folder ${modules} lies above the folder that work is judged in.`,
      because: "Node would find packages there that the work does not install itself, and wrong work would pass.",
      try: "remove it, or name a cache folder elsewhere in XDG_CACHE_HOME.",
    });
  }
  return real;
}

/** True for a folder in which this user may make files. */
export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function modulesAbove(path: string): string | undefined {
  for (let folder = path; ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) return modules;
    if (folder === dirname(folder)) return undefined;
  }
}
