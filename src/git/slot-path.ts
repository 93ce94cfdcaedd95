import { lstatSync, type Stats } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../domain/index.ts";

/**
 * What is at a path of the folder itself; undefined where nothing is. Below a link or a file nothing is: a folder
 * that was replaced by a link to elsewhere must not lead there. Throws where it cannot be looked at.
 */
export function lstatBelow(root: string, path: string): Stats | undefined {
  const parts = path.replace(/\/$/, "").split("/");
  let at = root;
  for (const [index, part] of parts.entries()) {
    at = join(at, part);
    const stat = lstatOrNone(at);
    if (stat === undefined || index === parts.length - 1) return stat;
    if (!stat.isDirectory()) return undefined;
  }
  return undefined;
}

function lstatOrNone(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
