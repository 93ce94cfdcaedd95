import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** What commits add: a file's new lines (`path`), or a commit's own message (`path` null). */
export type AddedText = { path: string | null; text: string };

/**
 * Everything that commits bring which `not` does not have: each message and each line, also such as a later commit takes
 * off again, and files that are no text. Of a merge only what is on neither side. A file may be there several times.
 */
export async function addedText(repository: Repository, tip: Oid, not: readonly Oid[]): Promise<AddedText[]> {
  const patch = ["-p", "--text", "--unified=0", "--no-renames", "--no-ext-diff", "--no-textconv", "--diff-merges=dense-combined"];
  const args = ["-c", "log.follow=false", "log", ...patch, "--format=%x00%B%x00", tip, ...not.map((oid) => `^${oid}`)];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args });
  const found: AddedText[] = [];
  // git ends a message itself, so a file's bytes can only lengthen the list, never hide a line.
  for (const part of answer.text.split("\0")) found.push(...readPart(part));
  return found;
}

function readPart(part: string): AddedText[] {
  const [head = "", ...files] = part.split(/^diff --(?:git|cc|combined) /m);
  const of = (patch: string): AddedText => ({
    path: /^\+\+\+ (?:b\/)?(.*)$/m.exec(patch)?.[1]?.trimEnd() ?? patch.split("\n", 1)[0] ?? null,
    text: patch,
  });
  return [{ path: null, text: head }, ...files.map(of)].filter(({ text }) => text.trim() !== "");
}
