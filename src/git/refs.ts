import { GraftworkError } from "../domain/index.ts";
import { askOfObjects } from "./object-answers.ts";
import { isOid, type Oid } from "./oid.ts";
import { readPlainly } from "./plain-refs.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

export function zeroOid(repository: Repository): Oid {
  return "0".repeat(repository.objectFormat === "sha256" ? 64 : 40);
}

/** The commit that `name` (branch, tag, id, HEAD~2, …) means; undefined where it means none. */
export async function resolveCommit(repository: Repository, name: string, cwd?: string): Promise<Oid | undefined> {
  const isOfMain = name === "HEAD" && (cwd === undefined || cwd === repository.root);
  const plain = isOfMain || name.startsWith("refs/") ? await plainCommit(repository, name) : undefined;
  if (plain !== undefined) return plain;
  const answer = await runGit(repository, {
    cwd: cwd ?? repository.root,
    args: ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`],
    answers: [0, 1, 128],
  });
  const oid = answer.text.trim();
  return answer.code === 0 && isOid(oid) ? oid : undefined;
}

/**
 * The commit that `HEAD` or a full ref name is seen to mean in git's own files; undefined: ask git. `admin` is the git
 * directory of the worktree whose HEAD is meant.
 */
export async function plainCommit(repository: Repository, name: string, admin?: string): Promise<Oid | undefined> {
  const oid = readPlainly(repository, name, admin);
  if (oid === undefined || oid === null) return undefined;
  const args = ["rev-parse", "--verify", "--end-of-options", `${oid}^{commit}`];
  const answer = await askOfObjects(repository, { args, of: [oid], answers: [0, 128] });
  return answer.code === 0 ? answer.text.trim() : undefined;
}

/** Like `resolveCommit`; throws REF_UNKNOWN, or REPOSITORY_EMPTY where there is no commit at all. */
export async function requireCommit(repository: Repository, name: string, cwd?: string): Promise<Oid> {
  const oid = await resolveCommit(repository, name, cwd);
  if (oid !== undefined) return oid;
  if ((await resolveCommit(repository, "HEAD")) === undefined && (await readRefs(repository, "refs/heads/")).size === 0)
    throw emptyRepository(repository);
  throw new GraftworkError("REF_UNKNOWN", {
    message: `${JSON.stringify(name)} names no commit in this repository.`,
    because: "there is no branch, tag or commit of that name.",
    try: "see `git branch --all` for what there is.",
    details: { name },
  });
}

/**
 * The commit of a branch that is to be moved, by its short name. Throws REF_UNKNOWN where there is none of exactly that
 * name (`main~1` has a commit too), USAGE where it is another name of a branch: git would move the name off it.
 */
export async function requireBranch(repository: Repository, name: string): Promise<Oid> {
  const ref = `refs/heads/${name}`;
  const commit = await requireCommit(repository, ref);
  if (!(await readRefs(repository, ref)).has(ref)) {
    throw new GraftworkError("REF_UNKNOWN", {
      message: `${JSON.stringify(name)} is no branch.`,
      because: "it means a commit, and only the name of a branch can be moved to another one.",
      try: "see `git branch` for what there is.",
      details: { name },
    });
  }
  const symbolic = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["symbolic-ref", "--quiet", "--short", ref],
    answers: [0, 1],
  });
  if (symbolic.code !== 0) return commit;
  throw new GraftworkError("USAGE", {
    message: `${name} is another name of ${symbolic.text.trim()}.`,
    because: "it is a symbolic ref, and that branch is the one to be moved.",
    try: `the same command with ${symbolic.text.trim()}.`,
  });
}

function emptyRepository(repository: Repository): GraftworkError {
  return new GraftworkError("REPOSITORY_EMPTY", {
    message: `${repository.root} has no commit yet.`,
    because: "slots and branches begin at a commit.",
    try: "make a first commit and run the same command again.",
  });
}

/** All refs below a prefix (`refs/heads/auto/`), full name → object id. */
export async function readRefs(repository: Repository, ...prefixes: readonly string[]): Promise<Map<string, Oid>> {
  const answer = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["for-each-ref", "--format=%(objectname) %(refname)", ...prefixes],
  });
  const refs = new Map<string, Oid>();
  for (const line of answer.text.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) refs.set(line.slice(space + 1), line.slice(0, space));
  }
  return refs;
}

/**
 * What several names mean, in one look: ids of objects, undefined where a name means none. A name with a line end
 * means none. git is not asked where its files say it, and each id is one of `known`: a file may say anything.
 */
export async function resolveNames<Name extends string>(
  repository: Repository,
  names: readonly Name[],
  known: ReadonlySet<Oid | null>,
): Promise<Map<Name, Oid | undefined>> {
  const plain = names.map((name) => readPlainly(repository, name.replace(/\^\{commit\}$/, "")));
  const isSure = plain.every((oid) => oid === null || (oid !== undefined && known.has(oid)));
  if (isSure) return new Map(names.map((name, index) => [name, plain[index] ?? undefined]));
  const usable = names.filter((name) => !/[\n\0]/.test(name));
  const answer = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["cat-file", "--batch-check=%(objectname)"],
    stdin: usable.map((name) => `${name}\n`).join(""),
  });
  const lines = answer.text.split("\n");
  return new Map(usable.map((name, index) => [name, isOid(lines[index] ?? "") ? lines[index] : undefined]));
}

/** The object a full ref name points to; undefined where there is no such ref. */
export async function readRef(repository: Repository, ref: string): Promise<Oid | undefined> {
  const plain = readPlainly(repository, ref);
  if (plain !== undefined) return plain ?? undefined;
  const answer = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["rev-parse", "--verify", "--quiet", "--end-of-options", ref],
    answers: [0, 1, 128],
  });
  return answer.code === 0 ? answer.text.trim() : undefined;
}

/** One step of a ref transaction; `null` means "is not there". A missing `old` on `set` means whatever it is. */
export type RefChange =
  | { ref: string; set: Oid; old?: Oid | null }
  | { ref: string; remove: true; old: Oid }
  | { ref: string; verify: Oid | null };

/** What a reflog says of a move that graftwork made for this reason. */
export function logMessage(reason: string): string {
  return `graftwork: ${reason}`;
}

/**
 * All changes or none, each compared with what it expects. Returns git's own sentence where something was not as
 * expected (then nothing moved), undefined where it is done. `env` marks the program, so that it can be found.
 */
export async function updateRefs(
  repository: Repository,
  changes: readonly RefChange[],
  reason: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const zero = zeroOid(repository);
  const lines = changes.map((change) => {
    if ("verify" in change) return `verify ${change.ref}\0${change.verify ?? zero}\0`;
    if ("remove" in change) return `delete ${change.ref}\0${change.old}\0`;
    return change.old === undefined
      ? `update ${change.ref}\0${change.set}\0\0`
      : `update ${change.ref}\0${change.set}\0${change.old ?? zero}\0`;
  });
  const answer = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["-c", "core.fsync=committed,reference", "update-ref", "--no-deref", "-m", logMessage(reason), "-z", "--stdin"],
    env,
    stdin: `start\0${lines.join("")}prepare\0commit\0`,
    answers: [0, 1, 128],
  });
  return answer.code === 0 ? undefined : answer.stderr.trim();
}

/** True where `ancestor` can be reached from `descendant` (or is it). */
export async function isAncestor(repository: Repository, ancestor: Oid, descendant: Oid): Promise<boolean> {
  const args = ["merge-base", "--is-ancestor", ancestor, descendant];
  return (await askOfObjects(repository, { args, of: [ancestor, descendant], answers: [0, 1] })).code === 0;
}

/** Refs of ours that go when what they were made for is done: they keep nothing. */
const PASSING = ["refs/graftwork/qa/*", "refs/graftwork/train/*", "refs/graftwork/ready/*"];

/**
 * Those of `commits` that no branch, tag or lasting ref of any kind reaches (they may be lost at the next clean-up). HEAD of
 * a linked worktree is none: it is about to move.
 */
export async function unreachable(repository: Repository, commits: readonly Oid[]): Promise<Oid[]> {
  if (commits.length === 0) return [];
  const unique = [...new Set(commits)];
  const known = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["cat-file", "--batch-check=%(objectname) %(objecttype)"],
    stdin: `${unique.join("\n")}\n`,
  });
  const present = known.text
    .split("\n")
    .filter((line) => line.endsWith(" commit"))
    .map((line) => line.slice(0, line.indexOf(" ")));
  if (present.length === 0) return [];
  const list = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["rev-list", "--stdin", "--not", "--single-worktree", ...PASSING.map((refs) => `--exclude=${refs}`), "--all"],
    stdin: `${present.join("\n")}\n`,
    answers: [0, 128],
  });
  // Somewhere a ref is damaged: then nothing is sure to be reached.
  if (list.code !== 0) return present;
  const lost = new Set(list.text.split("\n"));
  return present.filter((oid) => lost.has(oid));
}

/** Short name of the branch that HEAD of a worktree is on; null where it is detached. */
export async function currentBranch(repository: Repository, worktree: string): Promise<string | null> {
  const answer = await runGit(repository, { cwd: worktree, args: ["symbolic-ref", "--quiet", "HEAD"], answers: [0, 1] });
  const ref = answer.text.trim();
  return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : null;
}
