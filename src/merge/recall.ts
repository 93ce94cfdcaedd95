import { createHash } from "node:crypto";
import * as v from "valibot";
import { readTrusted } from "../state/index.ts";
import { joinLines } from "./resolvers/align/text-lines.ts";
import type { Hunk } from "./resolvers/align/three-way.ts";

/** `landing`: the commit by which it came to the target. */
const EntrySchema = v.object({ path: v.string(), lines: v.array(v.string()), landing: v.string() });
export type Entry = v.InferOutput<typeof EntrySchema>;

/** Where a trusted store has what was decided. */
export const RESOLUTIONS = "resolutions";

/** Returns the lines in a trusted store that were decided for the same collision of the same file, whichever side was whose. */
export function recall(store: string, path: string, hunk: Hunk): readonly string[] | undefined {
  const entry = readEntry(store, resolutionFact(path, hunk));
  return entry?.path === path ? entry.lines : undefined;
}

/** Reads one decision. Returns undefined if graftwork did not write it, or wrote it in another format. */
export function readEntry(store: string, name: string): Entry | undefined {
  const fact = readTrusted(store, name);
  if (fact.kind !== "found") return undefined;
  const read = v.safeParse(EntrySchema, JSON.parse(fact.text));
  return read.success ? read.output : undefined;
}

/** The name of the fact for a collision. */
export function resolutionFact(path: string, hunk: Hunk): string {
  return `${RESOLUTIONS}/${collisionKey(path, hunk)}.json`;
}

export function collisionKey(path: string, { base, ours, theirs }: Hunk): string {
  const sides = [ours, theirs].map(joinLines).sort();
  return createHash("sha256")
    .update(JSON.stringify([path, joinLines(base), ...sides]))
    .digest("hex");
}
