import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { lstatSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { replaceFile, writeNewFile } from "./atomic-file.ts";
import { linkSync, removeFile, rmSync } from "./disk.ts";
import { privateFolder } from "./private-folder.ts";
import { readText } from "./read-file.ts";

/** A fact of the trusted store as it was written, none of that name, or one that nobody of ours wrote there like that. */
export type TrustedFact = { kind: "found"; text: string } | { kind: "missing" } | { kind: "changed" };

type Environment = Readonly<Record<string, string | undefined>>;

/** The user's folder of a kind (`XDG_STATE_HOME`, else `~/.local/state`). */
export function userFolder(env: Environment, variable: "XDG_STATE_HOME" | "XDG_CONFIG_HOME", below: string): string {
  const named = env[variable];
  return named !== undefined && isAbsolute(named) ? named : join(env["HOME"] || homedir(), below);
}

/** Where the trusted store of a repository is: in the user's state folder, by the path of its common git directory. */
export function trustedFolder(commonDir: string, env: Environment): string {
  const name = basename(commonDir) === ".git" ? basename(dirname(commonDir)) : basename(commonDir);
  const id = createHash("sha256").update(commonDir).digest("hex").slice(0, 16);
  return join(userFolder(env, "XDG_STATE_HOME", join(".local", "state")), "graftwork", `${name.replace(/[^\w.-]/g, "_")}-${id}`);
}

/**
 * Reads a fact that only graftwork may write. It is sealed with a key of the store, over its name and text: a copy under
 * another name counts as changed. A store that belongs to another user holds nothing.
 */
export function readTrusted(folder: string, name: string): TrustedFact {
  const sealed = readIn(folder, name);
  if (sealed === undefined) return { kind: "missing" };
  const key = readIn(folder, KEY);
  const end = sealed.indexOf("\n");
  const text = sealed.slice(end + 1);
  if (key === undefined || end < 0 || !isEqual(sealed.slice(0, end), sealOf(key, name, text))) return { kind: "changed" };
  return { kind: "found", text };
}

/** Writes a fact. Returns why it cannot be kept; undefined: it is. */
export function writeTrusted(folder: string, name: string, text: string): string | undefined {
  try {
    privateFolder(folder);
    replaceFile(join(folder, name), `${sealOf(keyIn(folder), name, text)}\n${text}`);
    return undefined;
  } catch (error) {
    if (error instanceof GraftworkError) return `${error.message} ${error.because}`;
    return error instanceof Error ? error.message : String(error);
  }
}

/** Takes a fact back, or all facts below a name. */
export function removeTrusted(folder: string, name: string): void {
  rmSync(join(folder, name), { recursive: true, force: true });
}

const KEY = "key";

/** A file of the store; undefined if it is not there, is no file of this user, or may not be read. */
function readIn(folder: string, name: string): string | undefined {
  try {
    const { uid } = lstatSync(folder);
    if (process.getuid !== undefined && uid !== process.getuid()) return undefined;
    return readText(join(folder, name));
  } catch {
    return undefined;
  }
}

/** The store's key. Of several processes that make one at a time, all take the first one's. */
function keyIn(folder: string): string {
  const known = readIn(folder, KEY);
  if (known !== undefined) return known;
  const own = join(folder, `${KEY}.${randomUUID()}`);
  writeNewFile(own, randomBytes(32).toString("hex"), true);
  try {
    linkSync(own, join(folder, KEY));
  } catch (error) {
    if (readIn(folder, KEY) === undefined) throw error;
  } finally {
    removeFile(own);
  }
  return readIn(folder, KEY) ?? "";
}

function sealOf(key: string, name: string, text: string): string {
  return createHmac("sha256", key).update(`${name}\0${text}`).digest("hex");
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
