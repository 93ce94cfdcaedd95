import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { mergeCommits, mergeTrees, type Oid, type Repository, readFileAt } from "../git/index.ts";
import { readText, removeFile, replaceFile } from "../state/index.ts";
import { isText, textsOf } from "./conflict-sides.ts";
import { type DecidedHunk, decidedHunks, isTelling } from "./decided-hunks.ts";
import { joinLines, sameLines, splitLines } from "./resolvers/align/text-lines.ts";
import { type Hunk, mergeLines } from "./resolvers/align/three-way.ts";

/** `landing`: the commit by which it came to the target. An entry without one is of an older version, and unknown. */
const EntrySchema = v.object({ path: v.string(), lines: v.array(v.string()), landing: v.string() });
type Entry = v.InferOutput<typeof EntrySchema>;

/** Returns the lines that were decided for the same collision of the same file, whichever side was whose. */
export function recall(repository: Repository, path: string, hunk: Hunk): readonly string[] | undefined {
  const entry = readEntry(fileOf(repository, path, hunk));
  return entry?.path === path ? entry.lines : undefined;
}

/**
 * Keeps how the merge commits in `base..commit` resolved what git could not merge, whoever made them: merges in memory
 * do not know git's own memory (rerere). Call it for work that has landed, with the landing's commit. A decision that
 * cannot be cut out of its file without doubt, or that later commits changed, is not kept.
 */
export async function rememberResolutions(repository: Repository, base: Oid, commit: Oid, landing: Oid): Promise<void> {
  // The newest decision comes last, and counts.
  for (const { merge, parents } of (await mergeCommits(repository, base, [commit])).toReversed()) {
    const [ours, theirs] = parents;
    if (ours === undefined || theirs === undefined || parents.length > 2) continue;
    const merged = await mergeTrees(repository, ours, theirs).catch(() => undefined);
    if (merged === undefined || merged.clean) continue;
    for (const path of merged.paths) {
      const stages = merged.stages.filter((stage) => stage.path === path);
      const sides = stages.some(({ moved }) => moved !== undefined) ? undefined : await textsOf(repository, stages);
      const [result, landed] = await Promise.all([merge, commit].map((at) => textAt(repository, at, path)));
      if (sides === undefined || result === undefined || landed === undefined) continue;
      const parts = mergeLines(splitLines(sides.base ?? ""), splitLines(sides.ours ?? ""), splitLines(sides.theirs ?? ""));
      for (const { hunk, lines } of undoubted(decidedHunks(parts, splitLines(result))))
        if (isTelling(hunk) && landed.includes(joinLines(lines)))
          replaceFile(fileOf(repository, path, hunk), `${JSON.stringify({ path, lines: [...lines], landing } satisfies Entry)}\n`);
    }
  }
}

/** Forgets what was learned from these landings. */
export function forgetResolutions(repository: Repository, landings: readonly Oid[]): void {
  const folder = folderOf(repository);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const entry = readEntry(join(folder, name));
    if (entry !== undefined && landings.includes(entry.landing)) removeFile(join(folder, name));
  }
}

/** Without those that collided alike in one file and were decided differently. */
function undoubted(decided: readonly DecidedHunk[]): DecidedHunk[] {
  return decided.filter(({ hunk, lines }) =>
    decided.every((other) => keyOf("", other.hunk) !== keyOf("", hunk) || sameLines(other.lines, lines)),
  );
}

async function textAt(repository: Repository, commit: Oid, path: string): Promise<string | undefined> {
  const bytes = await readFileAt(repository, commit, path);
  return bytes === undefined || !isText(bytes) ? undefined : bytes.toString("utf8");
}

function readEntry(file: string): Entry | undefined {
  try {
    const read = v.safeParse(EntrySchema, JSON.parse(readText(file) ?? "null"));
    return read.success ? read.output : undefined;
  } catch {
    return undefined;
  }
}

const folderOf = ({ layout }: Repository): string => join(layout.root, "resolutions");

function fileOf(repository: Repository, path: string, hunk: Hunk): string {
  return join(folderOf(repository), `${keyOf(path, hunk)}.json`);
}

function keyOf(path: string, { base, ours, theirs }: Hunk): string {
  const sides = [ours, theirs].map(joinLines).sort();
  return createHash("sha256")
    .update(JSON.stringify([path, joinLines(base), ...sides]))
    .digest("hex");
}
