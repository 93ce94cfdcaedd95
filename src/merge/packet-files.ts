import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { partsOf, type SecretValue, secretHits } from "../domain/index.ts";
import {
  below,
  type ConflictStage,
  type MergedTrees,
  type MergeSides,
  plainPath,
  type Repository,
  readBlob,
  readFileAt,
} from "../git/index.ts";
import { replaceFile } from "../state/index.ts";
import { laidName } from "./conflict-sides.ts";

type Conflict = Extract<MergedTrees, { clean: false }>;

/** Folders of a packet. */
export const PARTS = ["files", "base", "ours", "theirs"] as const;

/** Returns where a packet keeps a file: with markers (`files`), or as a side has it. */
export function fileIn(folder: string, part: (typeof PARTS)[number], path: string): string {
  return below(join(folder, part), plainPath(path).split("/").map(shortName).join("/"));
}

/** File systems allow names of 255 bytes. Those that git makes are longer than the project's own. */
function shortName(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= 200) return name;
  return `${bytes
    .subarray(0, 150)
    .toString("utf8")
    .replace(/\ufffd+$/, "")}~${sha256(bytes).slice(0, 12)}`;
}

/**
 * Writes each conflicted file with markers, and as each side has it. Leaves out the paths in `withheld`. Returns the digests
 * of the files with markers, by path.
 */
export async function writeFiles(
  repository: Repository,
  folder: string,
  { stages, paths, tree, sides }: Conflict,
  withheld: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const path of paths) {
    if (withheld.has(path)) continue;
    // A folder for each side, as in its tree: beside the marked file, a side could have the name of another file.
    for (const stage of stages.filter((one) => one.path === path && one.mode !== SUBMODULE)) {
      const file = fileIn(folder, SIDES[stage.stage], path);
      // Where a rename put a file below another one, only one of them can be shown.
      if (!isInTheWay(folder, file)) replaceFile(file, await readBlob(repository, stage.oid));
    }
    const laid = laidName(path, stages);
    const marked = await readFileAt(repository, tree, laid);
    if (marked === undefined) continue;
    const bytes = named(marked, sides);
    replaceFile(fileIn(folder, "files", laid), bytes);
    digests.set(path, sha256(bytes));
  }
  return digests;
}

/** Returns the paths in which theirs has a secret that ours does not have. No packet may show these files. */
export async function pathsWithSecrets(
  repository: Repository,
  { stages, paths }: Pick<Conflict, "stages" | "paths">,
  secrets: readonly SecretValue[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const path of paths) {
    const own = stages.filter((stage) => stage.path === path);
    if (await bringsSecret(repository, own, secrets)) found.add(path);
  }
  return found;
}

async function bringsSecret(repository: Repository, stages: readonly ConflictStage[], secrets: readonly SecretValue[]): Promise<boolean> {
  const textOf = async (side: number): Promise<string> => {
    const stage = stages.find((one) => one.stage === side && one.mode !== SUBMODULE);
    return stage === undefined ? "" : (await readBlob(repository, stage.oid)).toString("utf8");
  };
  const [ours, theirs] = await Promise.all([textOf(2), textOf(3)]);
  for (const part of partsOf(theirs)) {
    if (secretHits(part, secrets).some(({ secret }) => secret === null || !ours.includes(secret))) return true;
    await setImmediate();
  }
  return false;
}

/** Whether the file cannot be written: its name is a folder's, or a file stands where it needs a folder. */
function isInTheWay(folder: string, file: string): boolean {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) return true;
  for (let above = dirname(file); above !== folder; above = dirname(above)) if (existsSync(above)) return !statSync(above).isDirectory();
  return false;
}

/** Conflict markers with the sides' names in place of commit ids. Bytes that are no text stay as they are. */
function named(marked: Buffer, { ours, theirs }: MergeSides): Buffer {
  const text = marked.toString("utf8");
  if (!Buffer.from(text).equals(marked)) return marked;
  const lines = text
    .replace(new RegExp(`^<{7} ${ours}$`, "gm"), "<<<<<<< ours (the target)")
    .replace(new RegExp(`^>{7} ${theirs}$`, "gm"), ">>>>>>> theirs (the task)");
  return Buffer.from(lines);
}

/** Returns a digest of a packet's file. It shows whether a person has edited the file. */
export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const SUBMODULE = "160000";

/** Names of the stages of a conflicted file. */
export const SIDES = { 1: "base", 2: "ours", 3: "theirs" } as const;
