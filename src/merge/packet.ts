import { join } from "node:path";
import { GraftworkError, hideSecrets, type SecretValue, shellWord } from "../domain/index.ts";
import {
  type ConflictStage,
  changedPaths,
  type MergedTrees,
  type Oid,
  patchBetween,
  plainPath,
  type Repository,
  renamesBetween,
  subjects,
} from "../git/index.ts";
import { replaceFile, rmSync } from "../state/index.ts";
import { besideLoop } from "./beside-loop.ts";
import { gitSays, kindOf, kindOfNames } from "./conflict-kind.ts";
import { laidName, textsOf } from "./conflict-sides.ts";
import { baseOfWork, mergeWork, type Work } from "./merge-work.ts";
import { PARTS, pathsWithSecrets, SIDES, writeFiles } from "./packet-files.ts";
import { readme } from "./packet-readme.ts";
import { protectedChanges } from "./protected-change.ts";
import { type LeftFile, leftText, type Resolving, resolveConflicts } from "./resolve-conflicts.ts";

export type PacketInput = {
  /** Folder to write into: `.claude/conflicts/<run>/<task>`. */
  folder: string;
  run: string;
  task: string;
  title: string;
  branch: string;
  /** The task's commit; null where the agent asked for a person before it made one. */
  commit: Oid | null;
  /** Where its work began, if that is known. */
  base: Oid | null;
  target: string;
  /** The target's commit that it collides with. */
  onto: Oid;
  reason: string;
  tried: readonly string[];
  resolving: Resolving;
  /** Values that no page may hold. */
  secrets?: readonly SecretValue[];
  /** Write a packet also if the commit merges: a person has to decide for `reason`. */
  evenIfClean?: true;
  now: Date;
};

const DIFF_BYTES = 200_000;

/** Returns the error if git cannot merge the work at all. */
async function tryToMerge(repository: Repository, work: Work): Promise<MergedTrees | GraftworkError> {
  try {
    return await mergeWork(repository, work);
  } catch (error) {
    if (error instanceof GraftworkError && error.code === "GIT_FAILED") return error;
    throw error;
  }
}

/**
 * Writes what a person needs to decide a conflict, or with `evenIfClean` a merge that git or a rule would make. Returns
 * false, and writes nothing, if the commit merges without a person.
 */
export async function writePacket(repository: Repository, input: PacketInput): Promise<boolean> {
  const { folder, commit, onto, evenIfClean = false } = input;
  const base = commit === null ? undefined : await baseOfWork(repository, { base: input.base, ours: onto, theirs: commit });
  const merged = commit === null ? undefined : await tryToMerge(repository, { base: base ?? null, ours: onto, theirs: commit });
  const unmergeable = merged instanceof GraftworkError ? merged : undefined;
  const conflict = merged === undefined || merged instanceof GraftworkError || merged.clean ? undefined : merged;
  const rules = conflict === undefined ? undefined : await resolveConflicts(repository, conflict, input.resolving);
  if (commit !== null && !evenIfClean && unmergeable === undefined && (rules ?? { kind: "resolved" }).kind === "resolved") return false;
  const hide = (text: string): string => hideSecrets(text, input.secrets ?? []);
  const left = new Map(rules?.kind === "left" ? rules.files.map((file) => [file.path, file]) : []);
  const { stages = [], paths = [], messages = [] } = conflict ?? {};
  // A file of an older packet may have the name of a folder now.
  for (const part of PARTS) rmSync(join(folder, part), { recursive: true, force: true });
  const withheld = await pathsWithSecrets(repository, { stages, paths }, input.secrets ?? []);
  const written = conflict === undefined ? new Map<string, string>() : await writeFiles(repository, folder, conflict, withheld);
  if (commit !== null && base !== undefined) {
    replaceFile(join(folder, "ours.diff"), hide(await patchBetween(repository, base, onto, DIFF_BYTES)));
    replaceFile(join(folder, "theirs.diff"), hide(await patchBetween(repository, base, commit, DIFF_BYTES)));
  }
  const inSlot = commit === null || base === undefined ? () => false : await decidedInSlot(repository, stages, base, [onto, commit]);
  const about = paths.length > 0 ? paths : messages.flatMap((message) => message.paths);
  const changes = commit === null || base === undefined ? [] : await protectedChanges(repository, base, commit);
  const facts = {
    schema: 1,
    run: input.run,
    task: input.task,
    title: input.title,
    branch: input.branch,
    target: input.target,
    kind: unmergeable === undefined ? kindOfPacket(commit, conflict) : "unmergeable",
    reason: input.reason,
    commits: { base: base ?? null, ours: onto, theirs: commit },
    files: await Promise.all(
      paths.map((path) =>
        fileFacts(repository, {
          path,
          stages,
          written: written.get(path) ?? null,
          inSlot: inSlot(path),
          isWithheld: withheld.has(path),
          left: left.get(path),
        }),
      ),
    ),
    names: paths.length > 0 ? [] : [...new Set(about)].map(plainPath),
    git_says: [...(conflict === undefined ? [] : gitSays(conflict)), ...(unmergeable === undefined ? [] : [unmergeable.because])],
    protected: changes.map(({ path, what }) => ({ path, what })),
    ours_changed: base === undefined ? [] : await whoChanged(repository, base, onto, about),
    tried: [...(paths.length > 0 ? [...left.values()].map(leftText) : []), ...input.tried],
    commands: commandsOf({ ...input, commit: unmergeable === undefined ? commit : null }, paths, unmergeable === undefined),
    written_at: input.now.toISOString(),
  };
  // Choices were made about another conflict of the same task.
  replaceFile(join(folder, "choices.json"), "{}\n");
  replaceFile(join(folder, "packet.json"), `${JSON.stringify(facts, null, 2)}\n`);
  const page = {
    ...input,
    kind: facts.kind,
    paths,
    gitSays: facts.git_says,
    oursChanged: facts.ours_changed,
    tried: facts.tried,
    protectedPaths: changes,
  };
  replaceFile(join(folder, "README.md"), readme(page));
  return true;
}

type Conflict = Extract<MergedTrees, { clean: false }>;

function kindOfPacket(commit: Oid | null, conflict: Conflict | undefined): string {
  if (commit === null) return "blocked";
  if (conflict === undefined) return "decision";
  return conflict.paths.length > 0 ? kindOf(conflict.stages) : kindOfNames(conflict.messages);
}

/**
 * Tells which paths can only be decided in a slot: two things want the name, and one of them was renamed. Whoever chooses
 * the other side would lose the renamed file under its old name too.
 */
async function decidedInSlot(repository: Repository, stages: readonly ConflictStage[], base: Oid, sides: readonly Oid[]) {
  const moved = new Set(stages.flatMap((stage) => (stage.moved === undefined ? [] : [stage.path])));
  if (moved.size === 0) return () => false;
  const renames = (await Promise.all(sides.map((side) => renamesBetween(repository, base, side)))).flat();
  return (path: string): boolean =>
    moved.has(path) && renames.some((one) => [one.from, one.to].some((name) => name === path || name.startsWith(`${path}/`)));
}

type FileInput = {
  path: string;
  stages: readonly ConflictStage[];
  /** Tells whether a person has changed the file since. */
  written: string | null;
  inSlot: boolean;
  /** The task's side has a secret. */
  isWithheld: boolean;
  left: LeftFile | undefined;
};

async function fileFacts(repository: Repository, { path, stages: all, written, inSlot, isWithheld, left }: FileInput): Promise<object> {
  const stages = all.filter((stage) => stage.path === path);
  return {
    path,
    laid_as: laidName(path, stages),
    in_slot: inSlot,
    written,
    kind: kindOf(stages),
    stages: stages.map(({ mode, oid, stage }) => ({ side: SIDES[stage], mode, oid })),
    hunks: isWithheld ? [] : await hunksOf(repository, stages),
    resolvers: resolversSay(left),
  };
}

/** The places where both sides' texts differ; none where a side is missing, is no text, or is a submodule. */
async function hunksOf(repository: Repository, stages: readonly ConflictStage[]): Promise<object[]> {
  const sides = await textsOf(repository, stages);
  if (sides?.ours === undefined || sides.theirs === undefined) return [];
  const texts = { base: sides.base ?? "", ours: sides.ours, theirs: sides.theirs };
  const done = await besideLoop({ kind: "hunks", texts });
  if (done.kind === "none") return [];
  return done.result.map(({ base, ours, theirs }) => ({ base: base.join(""), ours: ours.join(""), theirs: theirs.join("") }));
}

/** Subjects of the target's commits, if the target changed one of these files, or something in one of these folders. */
async function whoChanged(repository: Repository, base: Oid, onto: Oid, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const changed = await changedPaths(repository, base, onto);
  const isAbout = changed.some((one) => paths.some((path) => one === path || one.startsWith(`${path}/`)));
  return isAbout ? subjects(repository, base, onto, 20) : [];
}

function commandsOf({ task, commit }: PacketInput, [first]: readonly string[], canBeTaken: boolean): string[] {
  const resolve = `graftwork resolve ${task}`;
  const path = first === undefined ? undefined : plainPath(first);
  return [
    ...(commit === null ? [] : [`${resolve} --open`]),
    ...(path === undefined
      ? []
      : [
          `${resolve} --ours ${shellWord(path)}`,
          `${resolve} --theirs ${shellWord(path)}`,
          `${resolve} --take-file ${shellWord(path)}=FILE`,
        ]),
    ...(canBeTaken ? [`${resolve} --done`] : []),
    `${resolve} --retry-agent`,
    `${resolve} --skip`,
    "graftwork continue",
  ];
}

/** Null if rules closed the file: it waits for the others. */
function resolversSay(left: LeftFile | undefined): { declined: string; resolved_by: readonly string[]; places_left: number } | null {
  return left === undefined ? null : { declined: left.why, resolved_by: left.solved, places_left: left.hunksLeft };
}
