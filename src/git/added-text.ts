import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { GraftworkError } from "../domain/index.ts";
import { readText } from "../state/index.ts";
import { objectReader } from "./object-reader.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { type AddedText, patchReader } from "./patch-reader.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { commitsBeyond } from "./slot-history.ts";

/**
 * Calls `tell` with everything that commits add and `not` does not have: each commit's message, people and other headers, and
 * each added line, binary files included. Lines that a later commit removes count too. For a merge: only lines that neither
 * parent has. For a pure rename: only the names. Streams git's output, so that work of any size blocks nothing. Reads commits
 * apart from patches, so that no message can look like a patch.
 */
export async function addedText(repository: Repository, tip: Oid, not: readonly Oid[], tell: (added: AddedText) => void): Promise<void> {
  await commitTexts(repository, await commitsBeyond(repository, [tip], not), (text) => tell({ path: null, text }));
  const patch = ["-p", "--text", "--unified=0", "-M100%", "--no-ext-diff", "--no-textconv", "--diff-merges=dense-combined"];
  const args = ["-c", "log.follow=false", "log", ...patch, "--format=", tip, ...not.map((oid) => `^${oid}`)];
  const reader = patchReader(tell);
  const decoder = new StringDecoder("utf8");
  await runGit(repository, { ...ownGit(repository, "plain"), args, onAnswer: (chunk) => reader.read(decoder.write(chunk)) });
  reader.read(decoder.end());
  reader.end();
}

/** Calls `tell` with each commit as git stores it, including headers that git itself does not know. */
async function commitTexts(repository: Repository, commits: readonly Oid[], tell: (text: string) => void): Promise<void> {
  if (commits.length === 0) return;
  const reader = objectReader(tell);
  await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["cat-file", "--batch"],
    stdin: commits.map((oid) => `${oid}\n`).join(""),
    onAnswer: reader.read,
  });
  if (reader.count() === commits.length) return;
  throw new GraftworkError("GIT_FAILED", {
    message: "git did not show all commits of the work.",
    because: `it showed ${reader.count()} of ${commits.length}: one was deleted meanwhile, or is damaged.`,
    try: "run `git fsck`, then the same command again.",
  });
}

/** Returns a commit of `tip`, and not of `not`, whose parents `.git/shallow` hides; undefined if there is none. */
export async function cutOff(repository: Repository, tip: Oid, not: readonly Oid[]): Promise<Oid | undefined> {
  const shallow = readText(join(repository.commonDir, "shallow"))?.split("\n").filter(Boolean) ?? [];
  if (shallow.length === 0) return undefined;
  const own = new Set(await commitsBeyond(repository, [tip], not));
  return shallow.find((oid) => own.has(oid));
}
