import { existsSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../domain/index.ts";
import { readText } from "../state/index.ts";
import { isOid, type Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";

/**
 * What `HEAD` or a full ref name points to, read from git's own files where it keeps refs as files
 * (gitrepository-layout(5)); it saves a start of git. Whether there is such an object is not looked at. `null`: there is
 * no such ref; `undefined`: not for us to say, ask git. `admin` is the git directory of the worktree whose HEAD is meant.
 */
export function readPlainly({ commonDir }: Repository, name: string, admin: string = commonDir): Oid | null | undefined {
  try {
    if (existsSync(join(commonDir, "reftable"))) return undefined;
    if (name !== "HEAD") return readFullName(commonDir, name);
    const head = readText(join(admin, "HEAD")) ?? "";
    const branch = /^ref: (.+)\n$/.exec(head)?.[1];
    // A branch without a commit: git says what there is.
    return (branch === undefined ? oidIn(head) : readFullName(commonDir, branch)) ?? undefined;
  } catch (error) {
    // Something may not be read: git says it in its own words.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** git-check-ref-format(1): a file of another name is no ref, whatever is in it. */
const NO_REF = /[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[./]$/;

/** Others below `refs/` may be one worktree's alone. */
const SHARED = ["refs/heads/", "refs/graftwork/"];

/** The file first: git packs a ref before it deletes the file. */
function readFullName(commonDir: string, ref: string): Oid | null | undefined {
  if (!SHARED.some((folder) => ref.startsWith(folder)) || NO_REF.test(ref)) return undefined;
  const loose = readText(join(commonDir, ref));
  if (loose !== undefined) return oidIn(loose);
  const packed = readText(join(commonDir, "packed-refs")) ?? "";
  const end = packed.indexOf(` ${ref}\n`);
  return end < 0 ? null : oidIn(`${packed.slice(packed.lastIndexOf("\n", end) + 1, end)}\n`);
}

function oidIn(line: string): Oid | undefined {
  const oid = line.replace(/\n$/, "");
  return line.endsWith("\n") && isOid(oid) ? oid : undefined;
}
