import * as v from "valibot";
import { GraftworkError } from "../domain/index.ts";
import { attributesKey, type Oid, type PairMerge, type Repository } from "../git/index.ts";
import { readText, replaceFile } from "../state/index.ts";

/** What came of merging two commits, by `pairKey`. It never changes: if a branch moves, only its own pairs are merged again. */
export type KnownMerges = ReadonlyMap<string, PairMerge>;

/** Paths in conflict by pair; null: clean. The newest come first. */
const File = v.object({ schema: v.literal(1), merges: v.record(v.string(), v.nullable(v.array(v.string()))) });

const KEPT = 1_000;

/** Names a merge of two commits in the memory. Under other `merge` attributes the same two may merge otherwise. */
export function pairKey(repository: Repository, ours: Oid, theirs: Oid): string {
  return [ours, theirs, attributesKey(repository)].filter((part) => part !== "").join(" ");
}

/** What earlier predictions found; nothing where the file is missing, damaged or of another version. */
export function readKnownMerges({ layout }: Repository): KnownMerges {
  try {
    const { merges } = v.parse(File, JSON.parse(readText(layout.predictions) ?? ""));
    return new Map(Object.entries(merges).map(([key, paths]) => [key, { clean: paths === null, paths: paths ?? [] }]));
  } catch {
    return new Map();
  }
}

/** Adds what was found now, the oldest making room. It is a memory only: what cannot be written is found again. */
export function keepKnownMerges({ layout }: Repository, found: KnownMerges, before: KnownMerges): void {
  const merges = [...new Map([...found, ...before])].slice(0, KEPT).map(([key, { clean, paths }]) => [key, clean ? null : paths] as const);
  try {
    replaceFile(layout.predictions, JSON.stringify({ schema: 1, merges: Object.fromEntries(merges) }), { via: layout.scratch });
  } catch (error) {
    if (!(error instanceof GraftworkError)) throw error;
  }
}
