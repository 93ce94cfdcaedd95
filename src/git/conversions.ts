import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { mkdirSync, readBytes, rmSync } from "../state/index.ts";
import { below } from "./git-path.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";
import { type SlotTree, slotFiles } from "./slot-tree.ts";

/** Attributes that make a checkout write other bytes than git stores. */
const CONVERTING = ["filter", "ident", "working-tree-encoding", "eol"];

/** The filter that an attribute names for each of these paths, where one does. */
export async function filtersOf(repository: Repository, slot: SlotTree, paths: readonly string[]): Promise<Map<string, string>> {
  const filters = new Map<string, string>();
  for (const { path, attribute, value } of await attributesOf(repository, slot, paths))
    if (attribute === "filter" && value !== "unset") filters.set(path, value);
  return filters;
}

async function attributesOf(
  repository: Repository,
  slot: SlotTree,
  paths: readonly string[],
): Promise<{ path: string; attribute: string; value: string }[]> {
  if (paths.length === 0) return [];
  const answer = await runGit(repository, {
    ...slotFiles(repository, slot),
    args: ["check-attr", "-z", "--stdin", ...CONVERTING],
    stdin: pathBytes(paths.map((path) => `${path}\0`).join("")),
  });
  const parts = splitPaths(answer);
  const found: { path: string; attribute: string; value: string }[] = [];
  for (let i = 0; i + 2 < parts.length; i += 3) {
    const [path = "", attribute = "", value = ""] = parts.slice(i, i + 3);
    if (value !== "unspecified") found.push({ path, attribute, value });
  }
  return found;
}

/**
 * Those of these changed paths whose bytes are exactly what the user's own filters and settings write for our saved
 * index: they differ from what git stores, and nobody's work is in them. Only what a setting converts is looked at.
 */
export async function writtenByCheckout(repository: Repository, slot: SlotTree, paths: readonly string[]): Promise<ReadonlySet<string>> {
  const chosen = await convertedPaths(
    repository,
    slot,
    paths.filter((path) => lstatBelow(slot.path, path)?.isFile() === true),
  );
  if (chosen.length === 0) return new Set();
  const folder = join(repository.layout.scratch, `written.${randomUUID()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    // A filter that fails has written nothing that is like the file.
    await runGit(repository, {
      ...slotFiles(repository, slot),
      indexFile: repository.layout.savedIndex(slot.id),
      args: ["checkout-index", "--quiet", `--prefix=${folder}/`, "-z", "--stdin"],
      stdin: pathBytes(chosen.map((path) => `${path}\0`).join("")),
      answers: [0, 1, 128],
    });
    return new Set(chosen.filter((path) => isSame(slot.path, folder, path)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function convertedPaths(repository: Repository, slot: SlotTree, paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length === 0) return [];
  const [attributes, settings] = await Promise.all([
    attributesOf(repository, slot, paths),
    runGit(repository, {
      ...slotFiles(repository, slot),
      args: ["config", "--get-regexp", "^core\\.(autocrlf|eol)$"],
      answers: [0, 1],
    }),
  ]);
  if (/^core\.(?:autocrlf true|eol crlf)$/im.test(settings.text)) return paths;
  return [...new Set(attributes.filter(({ attribute, value }) => attribute !== "eol" || value === "crlf").map(({ path }) => path))];
}

function isSame(slot: string, folder: string, path: string): boolean {
  const [here, there] = [lstatBelow(slot, path), lstatBelow(folder, path)];
  if (here?.isFile() !== true || there?.isFile() !== true || here.size !== there.size) return false;
  if ((here.mode & 0o100) !== (there.mode & 0o100)) return false;
  const theirs = readBytes(pathBytes(below(folder, path)));
  return theirs !== undefined && readBytes(pathBytes(below(slot, path)))?.equals(theirs) === true;
}
