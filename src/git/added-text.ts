import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { readText } from "../state/index.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { commitsBeyond } from "./slot-history.ts";

/** What commits add: new lines of a file and its name (`path`), or a commit's message and people (`path` null). */
export type AddedText = { path: string | null; text: string };

/** So much is looked at before everything else that is due has its turn. */
const PIECE = 2 ** 20;
/** A line longer than a piece is cut; so much of it is looked at twice, so that nothing is torn. */
const OVERLAP = 4 * 2 ** 10;

/**
 * Everything that commits bring which `not` does not have: each message, author and new line, also such as a later commit
 * takes off again, and files that are no text. Of a merge only what is on neither side. In pieces; a file may be in several.
 */
export async function* addedText(repository: Repository, tip: Oid, not: readonly Oid[]): AsyncGenerator<AddedText> {
  const patch = ["-p", "--text", "--unified=0", "--no-renames", "--no-ext-diff", "--no-textconv", "--diff-merges=dense-combined"];
  const format = "--format=%x00%an %ae%n%cn %ce%n%B%x00";
  const args = ["-c", "log.follow=false", "log", ...patch, format, tip, ...not.map((oid) => `^${oid}`)];
  const { stdout } = await runGit(repository, { ...ownGit(repository, "plain"), args });
  const reader = patchReader();
  for (let from = 0; from < stdout.length; ) {
    const end = stdout.length - from <= PIECE ? stdout.length : stdout.lastIndexOf(10, from + PIECE) + 1;
    const isCut = end <= from;
    const to = isCut ? from + PIECE : end;
    yield* reader(stdout.subarray(from, to).toString("utf8"));
    from = isCut ? to - OVERLAP : to;
    await setImmediate();
  }
}

/** Returns the commit of `tip` that `.git/shallow` cuts off from what is behind it, if `not` does not have that commit. */
export async function cutOff(repository: Repository, tip: Oid, not: readonly Oid[]): Promise<Oid | undefined> {
  const shallow = readText(join(repository.commonDir, "shallow"))?.split("\n").filter(Boolean) ?? [];
  if (shallow.length === 0) return undefined;
  const own = new Set(await commitsBeyond(repository, [tip], not));
  return shallow.find((oid) => own.has(oid));
}

/** Reads a log's pieces one after the other: a piece goes on where the one before it ended. */
function patchReader(): (piece: string) => AddedText[] {
  let path: string | null = null;
  let isMessage = false;
  // How many signs stand before a line: one for each parent; 0: before the first hunk.
  let signs = 0;
  return (piece) => {
    const found: AddedText[] = [];
    let lines: string[] = [];
    const flush = (): void => {
      if (lines.length > 0) found.push({ path, text: lines.join("\n") });
      lines = [];
    };
    for (const line of piece.split("\n")) {
      // No line of a patch begins with a NUL, and no message holds one.
      if (line.startsWith("\0")) {
        flush();
        isMessage = !isMessage;
        path = null;
        signs = 0;
        if (isMessage) lines.push(line.slice(1));
      } else if (isMessage) lines.push(line);
      else if (/^diff --(?:git|cc|combined) /.test(line)) {
        flush();
        signs = 0;
        path = /^diff --git a\/(.*) b\/\1$/.exec(line)?.[1] ?? line.replace(/^diff --\w+ /, "");
        lines.push(path);
      } else if (/^@@+ /.test(line)) signs = line.indexOf(" ") - 1;
      else if (signs > 0) {
        const sign = line.slice(0, signs);
        // What is cut out of the middle of a line has no sign.
        if (!/^[ +-]*$/.test(sign)) lines.push(line);
        else if (sign.includes("+") && !sign.includes("-")) lines.push(line.slice(signs));
      }
    }
    flush();
    return found;
  };
}
