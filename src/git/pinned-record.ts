import { readTrusted, storeProblem, writeTrusted } from "../state/index.ts";
import type { Guarded } from "./guarded-settings.ts";
import type { Repository } from "./repository.ts";

/** What was found when nobody worked in a slot, with a stamp that tells cheaply whether it is still so. */
export type Pinned = {
  stamp: string;
  guarded: Guarded;
  /** Configuration and attributes for a git directory of our own that writes files as the user's git does. */
  shape: { config: string; attributes: string };
};

/** The record; `none`: there never was one; `lost`: something else removed or changed it. */
export type PinnedRecord = { kind: "found"; pinned: Pinned } | { kind: "none" } | { kind: "lost" };

const NAME = "settings";

/** The last record that this process saw, by common git directory. It survives if somebody removes the file. */
const seen = new Map<string, string>();

/** Reads the record. `isAtWork`: a task is at work, so the record must exist. */
export function readPinned(repository: Repository, isAtWork: boolean): PinnedRecord {
  const { commonDir, layout } = repository;
  const fact = readTrusted(layout.trusted, NAME);
  const text = fact.kind === "found" ? fact.text : seen.get(commonDir);
  if (text === undefined) return { kind: isAtWork && storeProblem(layout) === undefined ? "lost" : "none" };
  if (fact.kind !== "found") keep(repository, text);
  seen.set(commonDir, text);
  return { kind: "found", pinned: JSON.parse(text) as Pinned };
}

export function keepPinned(repository: Repository, pinned: Pinned): void {
  keep(repository, JSON.stringify(pinned));
}

/** Flushed: after a power cut, a record that is gone would count as taken away. */
function keep({ commonDir, layout }: Repository, text: string): void {
  seen.set(commonDir, text);
  writeTrusted(layout.trusted, NAME, text, { flush: true });
}

/** What a `pinned` git directory says; nothing where nothing was pinned. */
export function pinnedShape(repository: Repository): Pinned["shape"] {
  const record = readPinned(repository, false);
  return record.kind === "found" ? record.pinned.shape : { config: "", attributes: "" };
}
