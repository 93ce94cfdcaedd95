import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { linkSync, mkdirSync, removeFile, renameSync, rmSync } from "./disk.ts";
import { readText } from "./read-file.ts";

/** One generation of a store, as it lies on disk: a checksum, a line end, and this as JSON. */
export type StoredRecord = { schema: number; generation: number; previous: string; nonce: string; operation: string; state: unknown };

/** The number of a record, from its name. */
export function recordNumber(name: string): number | undefined {
  const digits = /^(\d{12})\.json$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Name of record `n`. */
export const fileName = (n: number): string => `${String(n).padStart(12, "0")}.json`;
const checksum = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

export function encode(record: StoredRecord): string {
  const body = JSON.stringify(record);
  return `${checksum(body)}\n${body}\n`;
}

export function decode(text: string, n: number, dir: string): StoredRecord {
  const end = text.indexOf("\n");
  const body = text.slice(end + 1, -1);
  if (end < 0 || text.slice(0, end) !== checksum(body)) throw damaged(dir, `record ${n} does not match its checksum`);
  const record = JSON.parse(body) as StoredRecord;
  if (record.generation !== n) throw damaged(dir, `record ${n} says that it is number ${record.generation}`);
  return record;
}

/** What a file system without hard links says to one (FAT, some network and container mounts). */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES"]);

/** Gives the record its number where that is free. Without hard links the record is a folder: none replaces another that has something in it. */
export function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return false;
    if (NO_LINKS.has(code ?? "")) return tryFolder(from, to);
    if (code !== "EEXIST") throw error;
    // Over a network file system the first reply may have been lost: then the name is ours all the same.
    return readOrMissing(to) !== undefined && statSync(from).ino === statSync(to).ino;
  }
}

function tryFolder(from: string, to: string): boolean {
  const folder = `${from}.folder`;
  mkdirSync(folder);
  try {
    renameSync(from, join(folder, RECORD));
    renameSync(folder, to);
    return true;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST", "ENOTDIR", "ENOENT"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

/** The record's name in its folder, where records are folders. */
const RECORD = "record.json";

export function readOrMissing(path: string): string | undefined {
  return readText(path) ?? readText(join(path, RECORD));
}

export function removeRecord(path: string): void {
  try {
    removeFile(path);
  } catch (error) {
    if (!["EISDIR", "EPERM"].includes(systemCode(error) ?? "")) throw error;
    rmSync(path, { recursive: true, force: true });
  }
}

export function damaged(dir: string, why: string): GraftworkError {
  return new GraftworkError("STATE_DAMAGED", {
    message: `The state in ${dir} is damaged.`,
    because: `${why} (a full disk, a power cut, or an edit by hand).`,
    try: "`pool-manager health --fix` puts the damaged record aside and rebuilds the state from git; no work is touched.",
    details: { dir },
  });
}

export function newer(dir: string, found: number, known: number): GraftworkError {
  return new GraftworkError("STATE_NEWER", {
    message: `The state in ${dir} was written by a newer graftwork.`,
    because: `its format is version ${found}, this program knows version ${known}.`,
    try: "use the newer graftwork in this repository.",
    details: { dir, found, known },
  });
}
