import { dirname, join } from "node:path";
import picomatch from "picomatch";
import * as v from "valibot";
import { count, GraftworkError, systemCode } from "../domain/index.ts";
import { below, lstatBelow, type Repository, readBelow, readFolder, type SlotStatus, stampBelow, trackedPaths } from "../git/index.ts";
import { cpSync, mkdirSync, readText, replaceFile } from "../state/index.ts";
import type { PoolContext } from "./context.ts";
import { type IgnoreRule, isNamed, parseIgnore, sayOf } from "./ignore-patterns.ts";

/** A repository's file with patterns like those of `.gitignore`. Each slot gets a copy of the untracked files that match. */
export const INCLUDE_FILE = ".worktreeinclude";

/** Never looked into: what installs and builds make is made in the slot, and a repository inside is another one. */
const NOT_ENTERED = new Set([".git", "node_modules", "__pycache__", ".venv", ".tox", ".gradle"]);

type Slot = { id: string; path: string };

/**
 * Copies the configured files of the main worktree, with mode and times, into a slot: those that `pool.copy` or
 * `.worktreeinclude` name, that git does not track and that the slot does not have. Returns their paths.
 */
export async function copyConfigured(context: PoolContext, slot: Slot): Promise<string[]> {
  const { repository, narrate } = context;
  const wanted = wantedFiles(context).filter((path) => isFree(slot.path, path));
  const tracked = await trackedPaths(repository, wanted);
  const copied = wanted.filter((path) => !tracked.has(path));
  if (copied.length === 0) return [];
  for (const path of copied) copyFile(repository.root, slot, path);
  noteCopies(repository, slot, copied);
  narrate(`copied ${count(copied.length, "file")} into ${slot.id}: ${copied.slice(0, 10).join(", ")}${copied.length > 10 ? ", …" : ""}`);
  return copied;
}

/** So many files are noted at most: of a set-up that makes more, the rest is saved like work. */
const NOTED_AT_MOST = 5_000;

/**
 * Notes that these paths of a slot (folders end in `/`) are nobody's work as they are now. What was noted before and
 * is unchanged stays noted.
 */
export function noteCopies(repository: Repository, slot: Slot, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const noted: Record<string, string> = {};
  for (const [path, stamp] of Object.entries(recorded(repository, slot))) if (stampOf(slot, path) === stamp) noted[path] = stamp;
  let left = NOTED_AT_MOST;
  const note = (path: string): void => {
    if (path.endsWith("/"))
      for (const entry of entriesOf(slot.path, path.slice(0, -1))) note(entry.isFolder ? `${entry.path}/` : entry.path);
    const stamp = stampOf(slot, path);
    if (stamp !== undefined && left-- > 0) noted[path] = stamp;
  };
  for (const path of paths) note(path);
  replaceFile(recordOf(repository, slot), `${JSON.stringify(noted)}\n`);
}

/**
 * Those of a slot's paths that are unchanged copies of the configured files, so nobody's work: not written to since
 * they were copied, or (where that is not known) the same as the main worktree's.
 */
export function copiedPaths(context: PoolContext, slot: Slot, paths: readonly string[]): string[] {
  if (paths.length === 0) return [];
  const { repository } = context;
  const stamps = recorded(repository, slot);
  const isWanted = copyMatcher(context);
  return paths.filter((path) => {
    const stamp = stampOf(slot, path);
    return stamp !== undefined && (stamps[path] === stamp || (isWanted(path) && isSame(repository.root, slot, path)));
  });
}

/** Whether a path is one of the configured files, by its name. */
export function copyMatcher(context: PoolContext): (path: string) => boolean {
  const matches = picomatch([...context.settings.copy], { dot: true });
  const rules = includeRules(context.repository);
  return (path) => matches(path) || isNamed(rules, path);
}

/** Of what git says of a slot: all that a commit there would hold. Repositories inside of it and copies of ours are left out. */
export function committablePaths(context: PoolContext, status: Pick<SlotStatus, "tracked" | "untracked">): string[] {
  const isCopied = copyMatcher(context);
  return [...status.tracked, ...status.untracked.filter((path) => !path.endsWith("/") && !isCopied(path))];
}

function includeRules(repository: Repository): IgnoreRule[] {
  const isThere = lstatBelow(repository.root, INCLUDE_FILE)?.isFile() === true;
  return isThere ? parseIgnore(readBelow(repository.root, INCLUDE_FILE)?.toString("utf8") ?? "") : [];
}

/** The files of the main worktree that every slot gets a copy of, by the configuration. */
export function wantedFiles(context: Pick<PoolContext, "repository" | "settings">): string[] {
  const { root } = context.repository;
  const rules = includeRules(context.repository);
  return [
    ...new Set([...context.settings.copy.flatMap((pattern) => matching(root, pattern)), ...(rules.length > 0 ? named(root, rules) : [])]),
  ];
}

/** Files below `root` that match a glob; looks only into the folder that the glob's fixed part names. */
function matching(root: string, pattern: string): string[] {
  const { base, isGlob } = picomatch.scan(pattern);
  if (!isGlob) return lstatBelow(root, pattern)?.isFile() === true ? [pattern] : [];
  const matches = picomatch(pattern, { dot: true });
  const depth = pattern.includes("**") ? Number.POSITIVE_INFINITY : pattern.split("/").length;
  const found: string[] = [];
  const look = (folder: string): void => {
    for (const entry of entriesOf(root, folder)) {
      if (entry.isFile && matches(entry.path)) found.push(entry.path);
      if (entry.isFolder && entry.path.split("/").length < depth) look(entry.path);
    }
  };
  if (base === "" || base === "." || lstatBelow(root, base)?.isDirectory() === true) look(base === "." ? "" : base);
  return found;
}

/** Files below `root` that rules like those of `.gitignore` name. */
function named(root: string, rules: readonly IgnoreRule[]): string[] {
  const found: string[] = [];
  const look = (folder: string, inside: boolean): void => {
    for (const entry of entriesOf(root, folder)) {
      const isIn = inside || sayOf(rules, entry.path, entry.isFolder) === true;
      if (entry.isFile && isIn) found.push(entry.path);
      if (entry.isFolder) look(entry.path, isIn);
    }
  };
  look("", false);
  return found;
}

type Entry = { path: string; isFolder: boolean; isFile: boolean };

/** What is in a folder of the main worktree, without links; nothing where it is another worktree or repository. */
function entriesOf(root: string, folder: string): Entry[] {
  const entries = readFolder(join(root, folder));
  if (folder !== "" && entries.some((entry) => entry.name === ".git")) return [];
  return entries.map((entry) => ({
    path: folder === "" ? entry.name : `${folder}/${entry.name}`,
    isFolder: entry.isDirectory() && !NOT_ENTERED.has(entry.name),
    isFile: entry.isFile(),
  }));
}

/** Nothing is there, and no link or file on the way to it: a copy must not land outside of the slot. */
function isFree(root: string, path: string): boolean {
  const parents = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  return parents.every((one) => lstatBelow(root, one)?.isDirectory() ?? true) && lstatBelow(root, path) === undefined;
}

function copyFile(root: string, slot: Slot, path: string): void {
  const to = below(slot.path, path, "disk");
  try {
    mkdirSync(dirname(to), { recursive: true });
    cpSync(below(root, path, "disk"), to, { preserveTimestamps: true, errorOnExist: true, force: false });
  } catch (error) {
    throw new GraftworkError("SETUP_FAILED", {
      message: `${path} could not be copied into ${slot.id}, so no work was started in it.`,
      because: `the system says ${systemCode(error) ?? String(error)}.`,
      try: `make ${path} readable, or take it out of \`pool.copy\` or ${INCLUDE_FILE}.`,
      details: { slot: slot.id, path },
      cause: error,
    });
  }
}

/** Undefined where it is no file. */
function stampOf(slot: Slot, path: string): string | undefined {
  return lstatBelow(slot.path, path)?.isFile() === true ? stampBelow(slot.path, path) : undefined;
}

function isSame(root: string, slot: Slot, path: string): boolean {
  const [here, there] = [lstatBelow(slot.path, path), lstatBelow(root, path)];
  if (here?.isFile() !== true || there?.isFile() !== true || here.size !== there.size) return false;
  return readBelow(slot.path, path)?.equals(readBelow(root, path) ?? Buffer.alloc(0)) === true;
}

/** What was copied into a slot is noted beside our copy of its index, where agents have no business. */
function recordOf(repository: Repository, slot: Slot): string {
  return join(dirname(repository.layout.savedIndex(slot.id)), "copies.json");
}

const recordSchema = v.record(v.string(), v.string());

function recorded(repository: Repository, slot: Slot): Record<string, string> {
  try {
    return v.parse(recordSchema, JSON.parse(readText(recordOf(repository, slot)) ?? "{}"));
  } catch {
    // Damaged: then bytes are compared.
    return {};
  }
}
