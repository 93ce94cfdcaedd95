import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { logMessage, readRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** The reason of an `updateRefs` that undoes a move which nobody asked for. What it undid counts as never held. */
export const PUT_BACK = "put back";

/** Whether a reflog has this message from such a move. */
export function isPutBack(message: string): boolean {
  return message.startsWith(logMessage(PUT_BACK));
}

const LOOKED_AT = 1_000;

/** A commit that a branch held. `since`: Unix seconds. `made`: the commit was made on this branch, so no other had it before. */
export type HeldValue = { oid: Oid; since: number; made: boolean };

/**
 * Returns the commits that a branch once held, if one of them is in `at` no longer (a reset, an amend, a rebase, an
 * undo); else none. Its reflog says which; `seen` are values that the caller saw, if the reflog is gone.
 */
export async function lostValues(repository: Repository, branch: string, at: Oid, seen: readonly Oid[]): Promise<HeldValue[]> {
  const { held, putBack } = await valuesOf(repository, branch);
  const known = new Set([...held.map(({ oid }) => oid), ...putBack]);
  const values = [...held, ...seen.filter((oid) => !known.has(oid)).map((oid) => ({ oid, since: 0, made: false }))];
  const oids = values.map(({ oid }) => oid);
  if (values.length === 0 || (await isWithin(repository, oids, at))) return [];
  return values;
}

/** Returns the commits that were made on a branch, as far as its reflog tells. */
export async function madeOn(repository: Repository, branch: string): Promise<ReadonlySet<Oid>> {
  const { held } = await valuesOf(repository, branch);
  return new Set(held.flatMap(({ oid, made }) => (made ? [oid] : [])));
}

type Values = { held: HeldValue[]; putBack: ReadonlySet<Oid> };

async function valuesOf(repository: Repository, branch: string): Promise<Values> {
  const log = await runGit(repository, {
    cwd: repository.commonDir,
    gitDir: repository.commonDir,
    args: ["reflog", "show", `-${LOOKED_AT}`, "--date=unix", "--format=%H %gd %gs", `refs/heads/${branch}`, "--"],
    answers: [0, 128],
  });
  return heldValues(log.code === 0 ? log.text : "");
}

const MADE =
  /^(?:commit|revert|cherry-pick|am)\b(?!: fast-forward)|^(?:pull|rebase)\b.* \((?:pick|reword|edit|squash|fixup|continue)\)|: Merge made by|^graftwork: land /;

/** True if a reflog's message says that the move made its commit. The end of a rebase may be a commit of another branch. */
export function madeCommit(message: string): boolean {
  return MADE.test(message);
}

/** Reads a reflog. `held`: its values, newest first. `putBack`: values that were put back each time. */
export function heldValues(log: string): Values {
  const entries = log.split("\n").flatMap((line) => {
    const [, oid, since, message] = /^([0-9a-f]{40,64}) \S+@\{(\d+)\} ?(.*)$/.exec(line) ?? [];
    return oid === undefined ? [] : [{ oid, since: Number(since), message: message ?? "" }];
  });
  const wasPutBack = (n: number): boolean => isPutBack(entries[n - 1]?.message ?? "");
  const kept = entries.filter((_, n) => !wasPutBack(n));
  const wasMade = (oid: Oid): boolean => entries.some((one) => one.oid === oid && madeCommit(one.message));
  const newest = kept.filter(({ oid }, n) => kept.findIndex((one) => one.oid === oid) === n);
  const held = newest.map(({ oid, since }) => ({ oid, since, made: wasMade(oid) }));
  const putBack = entries.filter(({ oid }, n) => wasPutBack(n) && held.every((one) => one.oid !== oid)).map(({ oid }) => oid);
  return { held, putBack: new Set(putBack) };
}

async function isWithin(repository: Repository, values: readonly Oid[], at: Oid): Promise<boolean> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["rev-list", "--ignore-missing", "-1", "--stdin"],
    stdin: [...values, `^${at}`].map((line) => `${line}\n`).join(""),
  });
  return answer.text === "";
}

/** Returns the newest of these commits that is in `tip` and not in `after`. Returns undefined if none is. */
export async function newestBetween(
  repository: Repository,
  commits: readonly Oid[],
  { after, tip }: { after: Oid; tip: Oid },
): Promise<Oid | undefined> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["rev-list", "--topo-order", tip, `^${after}`],
  });
  // git lists each commit before its parents.
  return answer.text.split("\n").find((oid) => commits.includes(oid));
}

/** True if a run began work at `base`: on a target that it held, or on merged work that waited for its checkout. */
export async function isRunsBase(repository: Repository, base: Oid): Promise<boolean> {
  return [...(await readRefs(repository, "refs/graftwork/backup/")).values()].includes(base);
}

/** A commit with its parents. `at`: when it was written, in Unix seconds. An amend or a rebase does not change that. */
export type Listed = { commit: Oid; at: number; parents: readonly Oid[] };

/** Lists the commits that merging `commit` into `tip` brings, oldest first. `foreign`: those that are in `roots`. `own`: the others. */
export async function ownCommits(
  repository: Repository,
  { commit, tip, roots }: { commit: Oid; tip: Oid; roots: readonly Oid[] },
): Promise<{ own: Listed[]; foreign: Listed[] }> {
  const list = async (without: readonly Oid[]): Promise<Listed[]> => {
    const answer = await runGit(repository, {
      ...ownGit(repository, "plain"),
      args: ["rev-list", "--ignore-missing", "--topo-order", "--reverse", "--no-commit-header", "--format=%H %at %P", "--stdin"],
      stdin: [commit, `^${tip}`, ...without.map((oid) => `^${oid}`)].map((line) => `${line}\n`).join(""),
    });
    return answer.text.split("\n").flatMap((line) => {
      const [commit = "", at = "0", ...parents] = line.split(" ");
      return commit === "" ? [] : [{ commit, at: Number(at), parents: parents.filter((one) => one !== "") }];
    });
  };
  const all = await list([]);
  if (roots.length === 0) return { own: all, foreign: [] };
  const own = await list(roots);
  const known = new Set(own.map(({ commit }) => commit));
  return { own, foreign: all.filter(({ commit }) => !known.has(commit)) };
}
