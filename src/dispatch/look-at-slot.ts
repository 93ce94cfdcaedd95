import { existsSync, readlinkSync } from "node:fs";
import { GraftworkError, hideSecrets, SCANNED_AT_MOST, type SecretValue, systemCode, type Task } from "../domain/index.ts";
import {
  below,
  commitInSlot,
  dropLocks,
  lstatBelow,
  type Oid,
  pathBytes,
  type Repository,
  readBelow,
  readRef,
  type SlotStatus,
  slotHead,
  slotStatus,
  subjects,
  treeDifferences,
  treeOf,
  unfinishedIn,
  untouchedSince,
  userIdentity,
} from "../git/index.ts";
import { filesMatcher } from "../plan/index.ts";
import { type LooseFile, secretsInFiles } from "../trust/index.ts";
import type { Evidence } from "./evidence.ts";
import { besideBranch, branchLost, followHead, type Ground, isOthersCommit, refuseUnsafe } from "./follow-head.ts";

const NAMED_PATHS = 10;

export type Look = Ground & {
  task: Task;
  before: string | null;
  /** Tells files that graftwork copied in: never committed. */
  isCopied: (path: string) => boolean;
  /** Short name of the target's branch. */
  target: string;
  /** Secret values that the slot has a copy of. */
  secrets: readonly SecretValue[];
  /** Commit what the agent left uncommitted; off if the attempt failed anyway. */
  commit: boolean;
  /** The slot held a merge to resolve: a file that is as it was checked out is an answer too. */
  resolves?: boolean;
};

/**
 * Reads what an attempt left in its slot, on whatever branch or detached HEAD it stands. The agent's own commits are on
 * the task's branch afterwards, and with `commit` the uncommitted rest is committed on top. Files outside the task's
 * own stay uncommitted and are named (a release rescues them). If a part of the work cannot be taken, `unusable` names
 * that part. The caller ends all processes in the slot first.
 */
export async function lookAtSlot(repository: Repository, look: Look): Promise<Evidence> {
  const nothing = { ...NOTHING, base: look.base, before: look.before };
  try {
    return await whatIsThere(repository, look, nothing);
  } catch (error) {
    if (!(error instanceof GraftworkError) || (error.code !== "GIT_FAILED" && error.code !== "FENCED")) throw error;
    // What an agent does to its slot is its attempt's failure, not the run's.
    return { ...nothing, unusable: `its work could not be taken: ${error.message} ${error.because}` };
  }
}

const NOTHING = {
  tip: null,
  same: null,
  subjects: [],
  notes: [],
  leftOut: [],
  beside: null,
  secrets: [],
  unusable: null,
} satisfies Partial<Evidence>;

async function whatIsThere(repository: Repository, look: Look, nothing: Evidence): Promise<Evidence> {
  const { slot } = look;
  dropLocks(repository, slot);
  const start = await readRef(repository, `refs/heads/${look.branch}`);
  if (start === undefined) return { ...nothing, unusable: await branchLost(repository, look) };
  if (!existsSync(slot.path))
    return { ...nothing, tip: start, unusable: `its folder ${slot.path} is gone; left out: all that it had not committed` };
  const unfinished = unfinishedIn(repository, slot);
  const { commit: head } = await slotHead(repository, slot);
  const refused = await refuseUnsafe(repository, look, { start, head });
  if (refused !== undefined) return { ...nothing, ...refused };
  const status = await slotStatus(repository, slot);
  const rest = await sortRest(repository, look, status, head);
  const leaves = (why: string): Evidence => ({ ...nothing, tip: start, unusable: `${why}${uncommittedText(rest.chosen)}` });
  if (unfinished !== null) return leaves(`it left a ${unfinished} unfinished`);
  if (status.unmerged) return leaves("it left unmerged files");
  const followed = await followHead(repository, look, start, async () => rest.chosen.length === 0);
  if ("why" in followed) return leaves(followed.why);
  const { tip } = followed;
  const repositories = [...rest.chosen.filter((path) => path.endsWith("/")), ...(await addedRepositories(repository, look.base, tip))];
  if (repositories.length > 0)
    return {
      ...nothing,
      tip,
      unusable: `it left a git repository in its folder, whose files git cannot commit here: ${named(repositories)}`,
    };
  // Commits are scanned when they are merged: there a person can let them in.
  const secrets = look.commit
    ? await secretsInFiles(repository, looseFiles(look, rest.chosen, status), { base: look.base, values: look.secrets })
    : [];
  const notes = followed.note === null ? [] : [followed.note];
  const isCommitted = look.commit && rest.chosen.length > 0 && secrets.length === 0;
  if (isCommitted) {
    await commitRest(repository, look, rest.chosen);
    notes.push(`committed what the agent left uncommitted: ${named(rest.chosen)}`);
  }
  if (look.commit && rest.leftOut.length > 0) notes.push(`left out, since it is outside the task's files: ${named(rest.leftOut)}`);
  const now = (await readRef(repository, `refs/heads/${look.branch}`)) ?? tip;
  const same = await sameAs(repository, look, now, isCommitted || rest.chosen.length === 0);
  return {
    ...nothing,
    notes,
    tip: now,
    same,
    subjects: (await subjects(repository, look.base, now, 20)).map((subject) => hideSecrets(subject, look.secrets)),
    leftOut: look.commit ? rest.leftOut : [],
    beside: same === null ? null : await besideBranch(repository, look, now),
    secrets,
  };
}

/** What is uncommitted: what belongs to the task, and what is outside of its files. */
type Rest = { chosen: readonly string[]; leftOut: readonly string[] };

async function sortRest(repository: Repository, look: Look, status: SlotStatus, head: Oid | null): Promise<Rest> {
  const { files } = look.task;
  const matches = files.length === 0 ? () => true : filesMatcher(files);
  // A repository in the slot is one path, which ends in a slash.
  const declared = (path: string): boolean => (path.endsWith("/") ? matches(path.slice(0, -1)) || matches(`${path}x`) : matches(path));
  const untracked = status.untracked.filter((path) => !look.isCopied(path));
  const isIdle =
    look.resolves === true || head === null || status.tracked.length === 0
      ? () => false
      : await untouchedSince(repository, look.slot, head);
  // Git calls a file modified that an attribute would convert, though nobody touched it.
  const tracked = status.tracked.filter((path) => status.staged.includes(path) || !isIdle(path));
  return { chosen: [...tracked, ...untracked.filter(declared)], leftOut: untracked.filter((path) => !declared(path)) };
}

async function commitRest(repository: Repository, { task, slot }: Look, paths: readonly string[]): Promise<void> {
  await commitInSlot(repository, slot, {
    paths,
    message: `${task.title}\n\nGraftwork-Task: ${task.id}\nCommitted by graftwork: the agent left it uncommitted.\n`,
    person: await userIdentity(repository),
  });
}

/** Paths at which the commits put a repository (a submodule's entry) that the base has not. */
async function addedRepositories(repository: Repository, base: Oid, tip: Oid): Promise<string[]> {
  const differences = tip === base ? [] : await treeDifferences(repository, base, tip);
  return differences.filter(({ from, to }) => to?.mode === "160000" && from?.mode !== "160000").map(({ path }) => path);
}

/** Tells whether the branch has no change against its base, or against the commit of the attempt before. */
async function sameAs(repository: Repository, look: Look, tip: Oid, isClean: boolean): Promise<Evidence["same"]> {
  const hasNoChange = async (than: Oid): Promise<boolean> => {
    if (tip === than) return true;
    // A resolution may come to the task's own tree: the target's change is dropped then.
    if (look.resolves === true) return false;
    if ((await treeOf(repository, tip)) === (await treeOf(repository, than))) return true;
    return isClean && isConversionOnly(repository, look, than, tip);
  };
  if (await hasNoChange(look.base)) return "base";
  if (look.resolves !== true && tip !== look.before && (await isOthersCommit(repository, look, tip))) return "base";
  return look.before !== null && (await hasNoChange(look.before)) ? "before" : null;
}

/** True if the commits only hold what `git add` makes of files that nobody touched. */
async function isConversionOnly(repository: Repository, { slot }: Look, than: Oid, tip: Oid): Promise<boolean> {
  const differences = await treeDifferences(repository, than, tip);
  if (!differences.every(({ from, to }) => from !== null && to !== null && from.mode === to.mode)) return false;
  const isUntouched = await untouchedSince(repository, slot, than);
  return differences.every(({ path }) => isUntouched(path));
}

function uncommittedText(paths: readonly string[]): string {
  return paths.length === 0 ? "" : `; uncommitted: ${named(paths)}`;
}

function named(paths: readonly string[]): string {
  const more = paths.length - NAMED_PATHS;
  return `${paths.slice(0, NAMED_PATHS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Reads one file at a time: an attempt may leave any number of them. */
function* looseFiles(look: Look, paths: readonly string[], { tracked }: SlotStatus): Generator<LooseFile> {
  const known = new Set(tracked);
  for (const path of paths) yield { path, text: textOf(look, path), tracked: known.has(path) };
}

/** What git would commit of a path: a file's text, or where a link leads. A very large file is not read. */
function textOf({ slot }: Look, path: string): string {
  const stat = lstatBelow(slot.path, path);
  try {
    if (stat?.isSymbolicLink() === true) return readlinkSync(pathBytes(below(slot.path, path, "disk")), "utf8");
    if (stat?.isFile() !== true || stat.size > SCANNED_AT_MOST) return "";
    return readBelow(slot.path, path)?.toString("utf8") ?? "";
  } catch (error) {
    if (error instanceof GraftworkError && error.code === "FILE_REFUSED") return "";
    // What may not be read cannot be committed either: git says so.
    if (systemCode(error) === undefined) throw error;
    return "";
  }
}
