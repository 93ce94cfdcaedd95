import type { Oid } from "./oid.ts";

/**
 * One side of a conflicted file: stage 1 is the merge base, 2 ours, 3 theirs. `moved`: where the merged tree has it, if
 * the other side has a folder or another kind of file at `path`.
 */
export type ConflictStage = { mode: string; oid: Oid; stage: 1 | 2 | 3; path: string; moved?: string };

/** Reads a stage as `ls-files --unmerged -z` and `merge-tree` list it. Undefined if the line has another form. */
export function stageIn(line: string): ConflictStage | undefined {
  const match = /^(\d{6}) ([0-9a-f]{40}|[0-9a-f]{64}) ([123])\t([\s\S]+)$/.exec(line);
  if (match === null) return undefined;
  const [, mode = "", oid = "", stage = "1", path = ""] = match;
  return { mode, oid, stage: Number(stage) as 1 | 2 | 3, path };
}

/** What git says about a conflict: its short name for the kind, the paths that it names, and its sentence. */
export type MergeMessage = { kind: string; paths: readonly string[]; text: string };

export type MergedTrees =
  /** `both`: files that both sides changed and git merged by itself, as far as git says so. */
  | { clean: true; tree: Oid; both: readonly string[] }
  /**
   * `tree` holds the conflicted files with markers in them. `paths` is empty if folders alone collide: see `messages`.
   * `sides`: by which commits git calls the sides, in markers and in names that it makes.
   */
  | {
      clean: false;
      /** Set if git took too long and the merge was made by whole files. A person has to look at it. */
      late?: true;
      tree: Oid;
      stages: readonly ConflictStage[];
      paths: readonly string[];
      messages: readonly MergeMessage[];
      sides: MergeSides;
    };

export type MergeSides = { ours: Oid; theirs: Oid };
