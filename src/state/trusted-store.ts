import { createHash, createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { accessSync, constants, existsSync, lstatSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { replaceFile, writeNewFile } from "./atomic-file.ts";
import { linkSync, removeFile, rmSync } from "./disk.ts";
import { privateFolder } from "./private-folder.ts";
import { readText } from "./read-file.ts";

/** A fact of the trusted store as it was written, none of that name, or one that nobody of ours wrote there like that. */
export type TrustedFact = { kind: "found"; text: string } | { kind: "missing" } | { kind: "changed" };

type Environment = Readonly<Record<string, string | undefined>>;

/** The user's folder of a kind (`XDG_STATE_HOME`, else `~/.local/state`). */
export function userFolder(env: Environment, variable: `XDG_${"STATE" | "CONFIG" | "CACHE"}_HOME`, below: string): string {
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
  const text = key === undefined ? undefined : openSealed(key, name, sealed);
  return text === undefined ? { kind: "changed" } : { kind: "found", text };
}

/**
 * Seals a text that has to lie elsewhere, such as in a folder that appears in one step. Without a store that can be used
 * it stays as it is.
 */
export function sealedText(folder: string, name: string, text: string): string {
  if (storeProblem({ trusted: folder }) !== undefined) return text;
  return `${sealOf(keyIn(folder), name, text)}\n${text}`;
}

/** The text that was sealed; undefined if something else wrote it. Where no key was ever made, nothing was sealed. */
export function unsealedText(folder: string, name: string, sealed: string): string | undefined {
  const key = readIn(folder, KEY);
  return key === undefined ? sealed : openSealed(key, name, sealed);
}

function openSealed(key: string, name: string, sealed: string): string | undefined {
  const end = sealed.indexOf("\n");
  const text = sealed.slice(end + 1);
  return end >= 0 && isEqual(sealed.slice(0, end), sealOf(key, name, text)) ? text : undefined;
}

/** Writes a fact. Returns why it cannot be kept; undefined: it is. */
export function writeTrusted(folder: string, name: string, text: string, options: { flush?: boolean } = {}): string | undefined {
  const problem = storeProblem({ trusted: folder });
  if (problem !== undefined) return problem;
  try {
    replaceFile(join(folder, name), sealedText(folder, name, text), options);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Why the store cannot be used; undefined: it can. Makes its folder. */
export function storeProblem({ trusted }: { trusted: string }): string | undefined {
  try {
    // Whoever can write in the parent folder could replace the store.
    privateFolder(dirname(trusted));
    privateFolder(trusted);
    accessSync(trusted, constants.W_OK);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** The store's folder; where it cannot be used, graftwork's folder in the repository, which is worth no trust. */
export function writableStore(layout: { root: string; trusted: string }): string {
  return storeProblem(layout) === undefined ? layout.trusted : layout.root;
}

/** The names of facts that somebody else wrote or changed: they count for nothing. */
export function changedFacts(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => !NO_FACTS.test(name) && readTrusted(folder, name).kind === "changed");
}

/** The key, our git directories, which are looked at before each use, and files that are being written. */
const NO_FACTS = /^(?:key(?:$|\.)|git\/)|\.tmp$/;

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

function reasonOf(error: unknown): string {
  if (error instanceof GraftworkError) return `${error.message} ${error.because}`;
  return error instanceof Error ? error.message : String(error);
}
