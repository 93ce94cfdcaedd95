import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { GraftworkError, systemCode } from "../domain/index.ts";

/** Bytes of the largest file that is read whole. */
const READ_AT_MOST = 256 * 2 ** 20;

/** Opening a pipe must not wait for somebody who writes into it, and a terminal must not become ours. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * The bytes of a regular file; undefined where there is none, or a folder. Throws FILE_REFUSED for a device, a pipe, a
 * socket, or a file of more than `most` bytes: reading those may never end. Anything else that the system says is thrown as it is.
 */
export function readBytes(path: string | Buffer, most = READ_AT_MOST): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, FLAGS);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    // What a socket and a device without a driver answer.
    if (code === "ENXIO" || code === "ENODEV") throw fileRefused(path, "it is no regular file");
    throw error;
  }
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) return undefined;
    if (!stat.isFile()) throw fileRefused(path, "it is no regular file");
    if (stat.size > most) throw fileRefused(path, `it has ${stat.size} bytes, and at most ${most} are read`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** The text of a file; undefined where there is none (or a folder in its place). Throws FILE_REFUSED. */
export function readText(path: string | Buffer, most?: number): string | undefined {
  return readBytes(path, most)?.toString("utf8");
}

export function fileRefused(path: string | Buffer, because: string): GraftworkError {
  const name = path.toString();
  return new GraftworkError("FILE_REFUSED", {
    message: `${name} is not read.`,
    because: `${because}.`,
    try: "put a regular file there, or take it away.",
    details: { path: name },
  });
}
