import picomatch from "picomatch";
import { isRegenerable } from "../checkout/index.ts";
import { type Config, count, type ResolvedFile } from "../domain/index.ts";
import {
  type ConflictStage,
  editTree,
  type MergedTrees,
  mergeTrees,
  type NotBlended,
  notBlended,
  type Oid,
  type Repository,
  type TreeEdit,
  writeBlob,
} from "../git/index.ts";
import { isOrdinary, type Sides, textsOf } from "./conflict-sides.ts";
import { type Generating, globOf, regenerateFiles } from "./generated-files.ts";
import { regenerateLockfiles } from "./lockfiles/regenerate.ts";
import { type Held, heldFor, protectedChanges } from "./protected-change.ts";
import { resolveBeside } from "./resolve-beside.ts";
import type { Resolution, ResolverLevel } from "./resolvers/resolve-file.ts";

/** How conflicts are resolved without a person (spec: merge "How" 5). */
export type Resolving = {
  level: ResolverLevel;
  /** Globs of files in which what both sides added at one place is kept, ours first. */
  union: readonly string[];
  /** How files are made that nobody writes; without it they wait for a person. */
  generated?: Generating;
  /**
   * Returns what a person has to let in before a program runs in a merged tree. By default: every protected change between
   * ours and the tree.
   */
  held?: (tree: Oid) => Promise<Held | undefined>;
  /** Ends the programs that make files anew; the merge throws INTERRUPTED then. */
  signal?: AbortSignal;
};

/** A file (or a name that files collide in) that the resolvers could not close: why, which rules closed a part of it, and how many places are left. */
export type LeftFile = { path: string; why: string; solved: readonly string[]; hunksLeft: number };

/** One line for a person: what the rules found in a file that they could not close. */
export function leftText({ path, why, solved, hunksLeft }: LeftFile): string {
  const part =
    solved.length === 0
      ? ""
      : `. ${count(hunksLeft, "conflict")} ${hunksLeft === 1 ? "is" : "are"} left after these rules: ${solved.join(", ")}`;
  return `no rule resolves ${path}: ${why}${part}`;
}

/** Off where the resolvers are not among what is tried for a conflict. */
export function resolvingOf({ merge, qa, pool }: Pick<Config, "merge" | "qa" | "pool">, signal?: AbortSignal): Resolving {
  const generated = { commands: merge.generated, env: qa.env, setEnv: pool.env, allowScripts: qa.allowScripts };
  const level = merge.onConflict.includes("resolvers") ? merge.level : "off";
  return { level, union: merge.union, generated, ...(signal !== undefined && { signal }) };
}

export type Resolved =
  | { kind: "resolved"; tree: Oid; files: readonly ResolvedFile[] }
  /** `held`: set if the rules could close all of it, and a person has to let in a change first. */
  | { kind: "left"; files: readonly LeftFile[]; held?: Held };

type Conflict = Extract<MergedTrees, { clean: false }>;

export type Merged =
  /** `both`: files that both sides changed and git merged by itself. */
  | { kind: "merged"; tree: Oid; resolved: readonly ResolvedFile[]; both: readonly string[] }
  | { kind: "conflict"; paths: readonly string[]; left: readonly LeftFile[] }
  | HeldBack;

/** A merge for which a program would have to run in a tree with protected changes. A person has to let them in first. */
export type HeldBack = { kind: "conflict"; left: readonly []; person: true; isProtected: true } & Held;

/** Merges the commit into `tip`: by git, and if that is a conflict by the rules, if they close all of it. */
export async function mergeOnto(repository: Repository, tip: Oid, commit: Oid, resolving: Resolving): Promise<Merged> {
  const merged = await mergeTrees(repository, tip, commit);
  if (merged.clean) return { kind: "merged", tree: merged.tree, resolved: [], both: merged.both };
  const done = await resolveConflicts(repository, merged, resolving);
  if (done.kind === "left" && done.held !== undefined) return { kind: "conflict", left: [], person: true, isProtected: true, ...done.held };
  if (done.kind === "left") return { kind: "conflict", paths: merged.paths, left: done.files };
  return { kind: "merged", tree: done.tree, resolved: done.files, both: [] };
}

/**
 * Resolves the conflicts of a merge by the rules of a level, in memory. All or nothing: if one file stays in
 * conflict, the whole merge does. If `.gitattributes` forbids to blend a file, only a program may generate it.
 */
export async function resolveConflicts(repository: Repository, conflict: Conflict, resolving: Resolving): Promise<Resolved> {
  // git did not merge it, and the rules rely on git's merge.
  if (conflict.late === true) return { kind: "left", files: aboutAll(conflict) };
  const read = await Promise.all(conflict.paths.map((path) => readConflict(repository, conflict, path)));
  const steps = madeAnewOf(repository, read, resolving);
  const isMadeAnew = ({ path }: Read): boolean => steps.some(({ paths }) => paths.includes(path));
  const forbidden = await notBlended(repository, conflict.paths);
  const isUnion = resolving.union.length === 0 ? () => false : picomatch([...resolving.union], { dot: true });
  const edits: TreeEdit[] = [];
  const files: ResolvedFile[] = [];
  const left: LeftFile[] = [];
  for (const one of read.filter((file) => !isMadeAnew(file))) {
    const { path, mode, texts } = one;
    const no = forbidden.get(path);
    if (no !== undefined) {
      left.push(unmade(path, whyNotBlended(no)));
      continue;
    }
    const done =
      texts === undefined
        ? NO_TEXT
        : await resolveBeside({ level: resolving.level, path, ...texts }, { isUnion: isUnion(path), memory: repository.layout.trusted });
    const rules = [...new Set(done.applied.map(({ rule }) => rule))];
    if (done.kind === "declined") left.push({ path, why: done.why, solved: rules, hunksLeft: done.hunksLeft.length });
    else if (mode === undefined) left.push(unmade(path, "its mode is in conflict"));
    else {
      edits.push({ path, mode, oid: await writeBlob(repository, done.text) });
      files.push({ path, rules });
    }
  }
  if (left.length > 0) {
    const waiting = steps.flatMap(({ what, paths }) => paths.map((path) => unmade(path, `${what}: made anew once all else is merged`)));
    return { kind: "left", files: [...left, ...waiting] };
  }
  // A conflict without a path is one of folders and renames: git's words are all that is known.
  if (read.length === 0) return { kind: "left", files: aboutAll(conflict) };
  let tree = edits.length === 0 ? conflict.tree : await editTree(repository, conflict.tree, edits);
  // The programs obey settings in the tree, so protected changes must be let in before the programs run.
  const held = steps.length === 0 ? undefined : await heldIn(repository, conflict, { tree, resolving });
  if (held !== undefined) {
    const files = steps.flatMap(({ what, paths }) =>
      paths.map((path) => unmade(path, `${what}: no program regenerates it, because ${held.reason}`)),
    );
    return { kind: "left", files, held };
  }
  for (const { what, make } of steps) {
    const made = await make(tree);
    if (made.kind === "left") return { kind: "left", files: [unmade(made.path, `${what}: ${made.why}`)] };
    tree = made.tree;
    files.push(...made.files);
  }
  return { kind: "resolved", tree, files };
}

async function heldIn(
  repository: Repository,
  { sides }: Conflict,
  { tree, resolving }: { tree: Oid; resolving: Resolving },
): Promise<Held | undefined> {
  return resolving.held === undefined ? heldFor(await protectedChanges(repository, sides.ours, tree)) : resolving.held(tree);
}

/** Returns git's messages about a conflict in which no rule looks at files. */
function aboutAll({ messages }: Conflict): LeftFile[] {
  return messages.flatMap(({ paths, text }) => (paths.length === 0 ? [""] : paths).map((path) => unmade(path, `git says: ${text}`)));
}

/** Why no rule blends a file. */
export function whyNotBlended(no: NotBlended): string {
  if (no.kind === "binary") return "`.gitattributes` forbids to blend it";
  return `\`.gitattributes\` has the driver \`${no.name}\` merge it, and graftwork runs no driver`;
}

function unmade(path: string, why: string): LeftFile {
  return { path, why, solved: [], hunksLeft: 0 };
}

/** Files that no rule merges since a program makes them, in the order in which they are made. */
function madeAnewOf(repository: Repository, read: readonly Read[], { level, generated: how, signal }: Resolving) {
  if (level === "off") return [];
  const generated = how === undefined ? [] : read.filter(({ path, areOrdinary }) => areOrdinary && globOf(how, path) !== undefined);
  const locks = read.filter(isLockConflict).filter((file) => !generated.includes(file));
  const pathsOf = (files: readonly Read[]): string[] => files.map(({ path }) => path);
  return [
    { what: "lockfile", paths: pathsOf(locks), make: (tree: Oid) => regenerateLockfiles(repository, tree, locks, signal) },
    ...(how === undefined
      ? []
      : [
          {
            what: "generated file",
            paths: pathsOf(generated),
            make: (tree: Oid) => regenerateFiles(repository, tree, pathsOf(generated), { ...how, signal }),
          },
        ]),
  ].filter(({ paths }) => paths.length > 0);
}

/**
 * `areOrdinary`: both sides have it as a file of bytes. `mode` is that after both sides' changes; it and `texts` are
 * undefined where no rule may touch the file.
 */
type Read = { path: string; areOrdinary: boolean; mode: string | undefined; texts: Sides | undefined };

const NO_TEXT: Resolution = { kind: "declined", why: "not an ordinary text file on both sides", hunksLeft: [], applied: [] };

async function readConflict(repository: Repository, conflict: Conflict, path: string): Promise<Read> {
  const stages = conflict.stages.filter((stage) => stage.path === path);
  const areOrdinary = [2, 3].every((n) => stages.some((one) => one.stage === n && one.moved === undefined && isOrdinary(one)));
  return { path, areOrdinary, mode: mergedMode(stages), texts: areOrdinary ? await textsOf(repository, stages) : undefined };
}

function isLockConflict(file: Read): file is Read & { mode: string; texts: { base: string | undefined; ours: string; theirs: string } } {
  return isRegenerable(file.path) && file.mode !== undefined && file.texts?.ours !== undefined && file.texts.theirs !== undefined;
}

/** The mode after both sides' changes; undefined where both changed it. */
function mergedMode(stages: readonly ConflictStage[]): string | undefined {
  const of = (stage: number): string | undefined => stages.find((one) => one.stage === stage)?.mode;
  const [base, ours, theirs] = [of(1), of(2), of(3)];
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}
