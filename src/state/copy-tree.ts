import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, utimesSync } from "./disk.ts";

/**
 * Copies a file, link or folder with modes and times, links as they are. Names may be any bytes (Node's own copy
 * takes UTF-8 alone). Pipes, sockets and devices cannot be copied: they are left out.
 */
export function copyTree(from: string | Buffer, to: string | Buffer): void {
  const stat = lstatSync(from);
  if (stat.isSymbolicLink()) return symlinkSync(readlinkSync(from, { encoding: "buffer" }), to);
  if (stat.isFile()) copyFileSync(from, to);
  else if (stat.isDirectory()) {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from, { encoding: "buffer" })) copyTree(below(from, name), below(to, name));
  } else return;
  chmodSync(to, stat.mode & 0o7777);
  utimesSync(to, stat.atime, stat.mtime);
}

function below(folder: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from("/"), name]);
}
