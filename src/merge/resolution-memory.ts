import { createHash } from "node:crypto";
import { join } from "node:path";
import * as v from "valibot";
import { mergeCommits, mergeTrees, type Oid, type Repository, readFileAt } from "../git/index.ts";
import { readText, replaceFile } from "../state/index.ts";
import { isText, textsOf } from "./conflict-sides.ts";
import { splitLines } from "./resolvers/align/text-lines.ts";
import { type Hunk, mergeLines, type Part } from "./resolvers/align/three-way.ts";

const EntrySchema = v.object({ path: v.string(), lines: v.array(v.string()) });

/** What more than punctuation is decided about: else the same few characters could meet by chance. */
const WORD = /\p{L}{2}/u;

/** The lines that were decided for the same collision of the same file; which side was whose does not matter. */
export function recall(repository: Repository, path: string, hunk: Hunk): readonly string[] | undefined {
  try {
    const read = v.safeParse(EntrySchema, JSON.parse(readText(fileOf(repository, path, hunk)) ?? ""));
    return read.success && read.output.path === path ? read.output.lines : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps how the merge commits of approved work resolved what git could not merge, whoever made them: git's own memory
 * (rerere) is unknown to merges in memory. Called for work that passed verification only.
 */
export async function rememberResolutions(repository: Repository, base: Oid, commit: Oid): Promise<void> {
  for (const { merge, parents } of await mergeCommits(repository, base, commit)) {
    const [ours, theirs] = parents;
    if (ours === undefined || theirs === undefined || parents.length > 2) continue;
    const merged = await mergeTrees(repository, ours, theirs).catch(() => undefined);
    if (merged === undefined || merged.clean) continue;
    for (const path of merged.paths) {
      const stages = merged.stages.filter((stage) => stage.path === path);
      const [sides, result] = await Promise.all([textsOf(repository, stages), readFileAt(repository, merge, path)]);
      if (sides === undefined || result === undefined || !isText(result)) continue;
      const [before, our, their] = [sides.base, sides.ours, sides.theirs].map((text) => splitLines(text ?? ""));
      const parts = mergeLines(before ?? [], our ?? [], their ?? []);
      for (const { hunk, lines } of decidedHunks(parts, splitLines(result.toString("utf8"))))
        if (isTelling(hunk)) replaceFile(fileOf(repository, path, hunk), `${JSON.stringify({ path, lines })}\n`);
    }
  }
}

/**
 * What stands for each hunk in the result: the lines between its neighbours, where these are found in their order;
 * nothing where the result changed them as well.
 */
export function decidedHunks(parts: readonly Part[], result: readonly string[]): { hunk: Hunk; lines: readonly string[] }[] {
  const decided: { hunk: Hunk; lines: readonly string[] }[] = [];
  let from = 0;
  let open: Hunk | undefined;
  for (const [n, part] of parts.entries()) {
    if (part.kind === "hunk") {
      open = part.hunk;
      continue;
    }
    // The last lines are the result's end; a hunk's end is where the next lines first stand again.
    const until = n === parts.length - 1 ? result.length - part.lines.length : from;
    const at = open === undefined || until > from ? until : find(result, from, part.lines);
    if (at < from || !startsWith(result, at, part.lines) || (open === undefined && at !== from)) return [];
    if (open !== undefined) decided.push({ hunk: open, lines: result.slice(from, at) });
    open = undefined;
    from = at + part.lines.length;
  }
  if (open !== undefined) return [...decided, { hunk: open, lines: result.slice(from) }];
  return from === result.length ? decided : [];
}

function find(lines: readonly string[], from: number, wanted: readonly string[]): number {
  for (let at = from; at + wanted.length <= lines.length; at++) if (startsWith(lines, at, wanted)) return at;
  return -1;
}

function startsWith(lines: readonly string[], at: number, wanted: readonly string[]): boolean {
  return wanted.every((line, n) => lines[at + n] === line);
}

function isTelling({ ours, theirs }: Hunk): boolean {
  return [ours, theirs].every((lines) => lines.length === 0 || lines.some((line) => WORD.test(line)));
}

function fileOf(repository: Repository, path: string, { base, ours, theirs }: Hunk): string {
  const sides = [ours.join(""), theirs.join("")].sort();
  const key = createHash("sha256")
    .update(JSON.stringify([path, base.join(""), ...sides]))
    .digest("hex");
  return join(repository.layout.root, "resolutions", `${key}.json`);
}
