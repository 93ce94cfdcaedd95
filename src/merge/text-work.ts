import { type DecidedHunk, decidedHunks } from "./decided-hunks.ts";
import { recall } from "./recall.ts";
import { splitLines } from "./resolvers/align/text-lines.ts";
import { type Hunk, mergeLines } from "./resolvers/align/three-way.ts";
import { type Finding, proveMerge } from "./resolvers/prove.ts";
import { type ConflictedFile, type Resolution, resolveFile } from "./resolvers/resolve-file.ts";
import { remembered } from "./resolvers/rules/remembered.ts";
import { union } from "./resolvers/rules/union.ts";

type Texts = { base: string; ours: string; theirs: string };

/** What is done with the texts of one file, as plain data: it may be done in another thread. */
export type TextWork =
  /** `memory`: the store of what people decided; null: none is asked. */
  | { kind: "resolve"; file: Omit<ConflictedFile, "also">; isUnion: boolean; memory: string | null }
  | { kind: "prove"; path: string; texts: Texts; merged: string }
  | { kind: "hunks"; texts: Texts }
  | { kind: "decided"; texts: Texts; result: string };

export type TextResult = {
  resolve: Resolution;
  prove: readonly Finding[];
  hunks: readonly Hunk[];
  decided: readonly DecidedHunk[];
};

/** All texts that the work is about. */
export function textsIn(work: TextWork): string[] {
  if (work.kind === "resolve") return [work.file.base ?? "", work.file.ours ?? "", work.file.theirs ?? ""];
  const { base, ours, theirs } = work.texts;
  return [base, ours, theirs, ...(work.kind === "prove" ? [work.merged] : work.kind === "decided" ? [work.result] : [])];
}

/** The work with its texts as bytes, which another thread takes without a copy. */
export type SentWork = { work: TextWork; texts: readonly Uint8Array[] };

/** The work with other texts, in the order of `textsIn`. A side that is missing stays missing. */
export function withTexts(work: TextWork, texts: readonly string[]): TextWork {
  const [base = "", ours = "", theirs = "", more = ""] = texts;
  if (work.kind === "resolve") {
    const of = (before: string | undefined, now: string): string | undefined => (before === undefined ? undefined : now);
    const { file } = work;
    return { ...work, file: { ...file, base: of(file.base, base), ours: of(file.ours, ours), theirs: of(file.theirs, theirs) } };
  }
  const sides = { ...work, texts: { base, ours, theirs } };
  if (sides.kind === "prove") return { ...sides, merged: more };
  return sides.kind === "decided" ? { ...sides, result: more } : sides;
}

/** Does the work, in this thread. */
export async function doTextWork(work: TextWork): Promise<TextResult[TextWork["kind"]]> {
  if (work.kind === "resolve") {
    const { file, isUnion, memory } = work;
    const fromMemory = memory === null ? [] : [remembered((hunk) => recall(memory, file.path, hunk))];
    return resolveFile({ ...file, also: [...fromMemory, ...(isUnion ? [union] : [])] });
  }
  const { base, ours, theirs } = work.texts;
  if (work.kind === "prove") return proveMerge(base, ours, theirs, work.merged, work.path);
  const parts = mergeLines(splitLines(base), splitLines(ours), splitLines(theirs));
  if (work.kind === "decided") return decidedHunks(parts, splitLines(work.result));
  return parts.flatMap((part) => (part.kind === "hunk" ? [part.hunk] : []));
}
