import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { systemCode } from "../domain/index.ts";
import { fileRefused, readBytes } from "../state/index.ts";
import { below } from "./git-path.ts";
import { pathBytes } from "./path-text.ts";

/** Bytes of the largest file of a project that is read whole: manifests, lockfiles and the like. */
const READ_AT_MOST = 64 * 2 ** 20;

/**
 * Reads a small file of a folder in which others may write. A link counts as what it leads to, if that is in the folder.
 * Undefined where there is no file. Throws FILE_REFUSED for a link that leads out, and for what is no regular file.
 */
export function readBelow(folder: string, path: string, most = READ_AT_MOST): Buffer | undefined {
  const full = below(folder, path, "disk");
  try {
    const real = realpathSync.native(pathBytes(full));
    if (!real.startsWith(`${realpathSync.native(folder)}${sep}`)) throw fileRefused(full, `it is a link to ${real}, outside the folder`);
    return readBytes(real, most);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ELOOP") throw fileRefused(full, "it is a link that leads to itself");
    throw error;
  }
}
