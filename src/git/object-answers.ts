import { isOid, type Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { type GitAnswer, runGit } from "./run-git.ts";

/** How many answers a process keeps. */
const KEPT = 1_000;
/** Bytes of the largest answer that is kept. */
const LARGEST = 64 * 1024;

const known = new Map<string, Promise<GitAnswer>>();

export type ObjectQuestion = {
  args: readonly string[];
  /** Each object that `args` name. */
  of: readonly Oid[];
  /** Exit codes that are answers; anything else throws GIT_FAILED. Default only 0. */
  answers?: readonly number[];
};

/**
 * Asks git what follows from objects alone. An object never changes, so a process asks each question once. Never ask
 * here whether an object is there: it may be collected meanwhile. Throws GIT_FAILED.
 */
export function askOfObjects(repository: Repository, { args, of, answers = [0] }: ObjectQuestion): Promise<GitAnswer> {
  const call = { ...ownGit(repository, "plain"), args, answers };
  // A shallow history may be made deeper, and then has other ancestors.
  if (!of.every(isOid) || call.env?.["GIT_SHALLOW_FILE"] !== undefined) return runGit(repository, call);
  const question = JSON.stringify([repository.commonDir, args]);
  const kept = known.get(question);
  if (kept !== undefined) return kept;
  const asked = runGit(repository, call);
  known.set(question, asked);
  const forget = (): void => {
    if (known.get(question) === asked) known.delete(question);
  };
  // Code 128 also means that an object is missing, and it may come later.
  asked.then(({ code, stdout }) => {
    if (code > 1 || stdout.length > LARGEST) forget();
  }, forget);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(oldest);
  }
  return asked;
}
