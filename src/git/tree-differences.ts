import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { GraftworkError } from "../domain/index.ts";
import { readBytes } from "../state/index.ts";
import { below, pathProblem } from "./git-path.ts";
import { askOfObjects } from "./object-answers.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit, splitPaths } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";

export type Side = { mode: string; oid: Oid };

/** One path that two trees differ in; null: it is not in that tree. */
export type TreeDifference = { path: string; from: Side | null; to: Side | null };

/** A tree with nothing in it, which every repository knows. */
export function emptyTree({ objectFormat }: Repository): Oid {
  return createHash(objectFormat).update("tree 0\0").digest("hex");
}

export async function treeDifferences(repository: Repository, from: Oid, to: Oid): Promise<TreeDifference[]> {
  const args = ["diff-tree", "-r", "-z", "--no-renames", "--raw", from, to];
  return readDifferences(splitPaths(await askOfObjects(repository, { args, of: [from, to] })));
}

/** What git's `--raw -z` of one comparison says. */
export function readDifferences(parts: readonly string[]): TreeDifference[] {
  const found: TreeDifference[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) found.push(differenceOf(parts[i] ?? "", parts[i + 1] ?? ""));
  return found;
}

/** Two commits to be compared. */
export type CommitRange = { from: Oid; to: Oid };

/** What the commits of each range differ in, folders (mode 040000) included: one git for all. */
export async function differencesOfAll(repository: Repository, ranges: readonly CommitRange[]): Promise<TreeDifference[][]> {
  if (ranges.length === 0) return [];
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["diff-tree", "--stdin", "--always", "-r", "-t", "-z", "--no-renames", "--raw"],
    // A commit and the one to take for its parent.
    stdin: ranges.map(({ from, to }) => `${to} ${from}\n`).join(""),
  });
  const parts = splitPaths(answer);
  const found: TreeDifference[][] = [];
  for (let i = 0; i < parts.length; ) {
    const part = parts[i] ?? "";
    if (part.startsWith(":")) found.at(-1)?.push(differenceOf(part, parts[i + 1] ?? ""));
    else if (part === ranges[found.length]?.to) found.push([]);
    else break;
    i += part.startsWith(":") ? 2 : 1;
  }
  if (found.length === ranges.length) return found;
  throw new GraftworkError("GIT_FAILED", {
    message: "git did not compare all commits.",
    because: `it was asked for ${ranges.length} comparisons and answered ${found.length}.`,
    try: "`git fsck` tells whether the repository is sound.",
  });
}

/** Returns which path of a commit git itself would not check out, and why. Only paths count that are not in `from`. */
export async function unsafePathIn(repository: Repository, from: Oid, commit: Oid): Promise<string | undefined> {
  for (const { path, to } of from === commit ? [] : await treeDifferences(repository, from, commit)) {
    const problem = to === null ? undefined : pathProblem(path);
    if (problem !== undefined)
      return `${commit.slice(0, 12)} has a file at ${JSON.stringify(path)}, which git does not check out: ${problem}`;
  }
  return undefined;
}

function differenceOf(line: string, path: string): TreeDifference {
  const [fromMode = "", toMode = "", fromOid = "", toOid = ""] = line.slice(1).split(" ");
  const side = (mode: string, oid: Oid): Side | null => (/^0+$/.test(oid) ? null : { mode, oid });
  return { path, from: side(fromMode, fromOid), to: side(toMode, toOid) };
}

/** What git would store for regular files of a worktree, its line-end rules and filters applied: one git for all. */
export async function storedIds(
  repository: Repository,
  worktree: Pick<GitCall, "cwd" | "gitDir" | "workTree" | "env">,
  paths: readonly string[],
): Promise<Map<string, Oid>> {
  if (paths.length === 0) return new Map();
  const quoted = paths.map((path) => `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"\n`).join("");
  const answer = await runGit(repository, { ...worktree, args: ["hash-object", "--stdin-paths"], stdin: pathBytes(quoted) });
  const oids = answer.text.split("\n");
  return new Map(paths.map((path, index) => [path, oids[index] ?? ""]));
}

/** The id of these very bytes as a blob. */
export function blobId({ objectFormat }: Repository, bytes: string | Uint8Array): Oid {
  return createHash(objectFormat)
    .update(`blob ${Buffer.byteLength(bytes)}\0`)
    .update(bytes)
    .digest("hex");
}

/** Larger files are left to git, which reads them in pieces. */
const READ_AT_MOST = 16 * 2 ** 20;

/**
 * Those of `paths` that are in the slot's folder as `head` has them, where `head` differs from `from`: work that is
 * committed already. Compared byte for byte; where that fails, as git would store the file.
 */
export async function committedPaths(
  repository: Repository,
  worktree: Pick<GitCall, "cwd" | "gitDir" | "workTree" | "env">,
  range: { from: Oid; head: Oid },
  paths: readonly string[],
): Promise<Set<string>> {
  const committed = new Set<string>();
  if (paths.length === 0 || range.from === range.head) return committed;
  const differences = new Map((await treeDifferences(repository, range.from, range.head)).map((one) => [one.path, one.to]));
  const unsure: string[] = [];
  for (const path of paths) {
    const entry = differences.get(path);
    if (entry === undefined) continue;
    const seen = compare(repository, worktree.cwd, path, entry);
    if (seen === "same") committed.add(path);
    if (seen === "unsure") unsure.push(path);
  }
  for (const [path, oid] of await storedIds(repository, worktree, unsure)) if (oid === differences.get(path)?.oid) committed.add(path);
  return committed;
}

function compare(repository: Repository, root: string, path: string, entry: Side | null): "same" | "other" | "unsure" {
  const stat = lstatBelow(root, path);
  if (entry === null) return stat === undefined || stat.isDirectory() ? "same" : "other";
  if (stat === undefined) return "other";
  const full = pathBytes(below(root, path));
  if (entry.mode === "120000")
    return stat.isSymbolicLink() && blobId(repository, readlinkSync(full, { encoding: "buffer" })) === entry.oid ? "same" : "other";
  if (!stat.isFile() || entry.mode !== ((stat.mode & 0o100) === 0 ? "100644" : "100755")) return "other";
  const bytes = stat.size <= READ_AT_MOST ? readBytes(full) : undefined;
  return bytes !== undefined && blobId(repository, bytes) === entry.oid ? "same" : "unsure";
}
