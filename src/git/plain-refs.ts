import { existsSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../state/index.ts";
import type { Repository } from "./repository.ts";

/** An object id; commits unless a name says otherwise. */
export type Oid = string;

/**
 * What refs point to, read from git's own files where it keeps them as files (gitrepository-layout(5)); it saves a
 * start of git. `null`: there is no such ref; `undefined`: not for us to say, ask git. A name is `HEAD^{commit}` or a
 * full ref.
 */
export function readPlainly(repository: Repository, name: string): Oid | null | undefined {
  const { commonDir } = repository;
  if (existsSync(join(commonDir, "reftable"))) return undefined;
  if (name.startsWith("refs/heads/")) return readBranch(commonDir, name);
  if (name !== "HEAD^{commit}") return undefined;
  const head = readText(join(commonDir, "HEAD")) ?? "";
  const branch = /^ref: (refs\/heads\/[^\n]+)\n$/.exec(head)?.[1];
  // A branch without a commit: git says what there is.
  return (branch === undefined ? oidIn(head) : readBranch(commonDir, branch)) ?? undefined;
}

/** The file first: git packs a ref before it deletes the file. */
function readBranch(commonDir: string, ref: string): Oid | null | undefined {
  if (ref.split("/").some((part) => part === "" || part === "." || part === "..")) return undefined;
  const loose = readText(join(commonDir, ref));
  if (loose !== undefined) return oidIn(loose);
  const packed = readText(join(commonDir, "packed-refs")) ?? "";
  const end = packed.indexOf(` ${ref}\n`);
  return end < 0 ? null : oidIn(`${packed.slice(packed.lastIndexOf("\n", end) + 1, end)}\n`);
}

function oidIn(line: string): Oid | undefined {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})\n$/.test(line) ? line.trimEnd() : undefined;
}
