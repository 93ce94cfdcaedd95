import { type Dirent, lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../domain/index.ts";
import { pathBytes, pathText } from "./path-text.ts";

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

/**
 * Tells whether a file was touched since: its ctime changes with every write, whatever its times are set to. It also
 * changes where another link to the file is deleted, its mtime does not.
 */
export function stampBelow(root: string, path: string, time: "ctimeMs" | "mtimeMs" = "ctimeMs"): string {
  const stat = lstatBelow(root, path);
  return stat === undefined ? "gone" : `${stat.ino} ${stat.size} ${stat[time]}`;
}

function lstatOrNone(path: string): Stats | undefined {
  try {
    return lstatSync(pathBytes(path));
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/** What is in a folder, names that are no UTF-8 included (see `pathText`). */
export function readFolder(path: string): Pick<Dirent, "name" | "isDirectory" | "isFile" | "isSymbolicLink">[] {
  const entries = readdirSync(pathBytes(path), { withFileTypes: true, encoding: "buffer" });
  return entries.map((entry) => ({
    name: pathText(entry.name),
    isDirectory: () => entry.isDirectory(),
    isFile: () => entry.isFile(),
    isSymbolicLink: () => entry.isSymbolicLink(),
  }));
}

/** What `git ls-files --others` passes over in a folder with tracked files: a repository's `.git`, pipes, sockets, devices. */
export function passedOver(path: string): string[] {
  return readdirSync(pathBytes(path), { withFileTypes: true, encoding: "buffer" })
    .filter((entry) => !(entry.isFile() || entry.isDirectory() || entry.isSymbolicLink()) || entry.name.equals(DOT_GIT))
    .map(({ name }) => pathText(name));
}

const DOT_GIT = Buffer.from(".git");
