import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { readText } from "../state/index.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { commitsBeyond } from "./slot-history.ts";

/** What commits add: new lines of a file and its name (`path`), or a commit's message and people (`path` null). */
export type AddedText = { path: string | null; text: string };

/** A longer line is handed on in parts. Two parts overlap by `OVERLAP`, so that no secret is torn. */
const LONGEST_LINE = 2 ** 20;
const OVERLAP = 4 * 2 ** 10;

/**
 * Tells everything that commits bring which `not` does not have: each message, author and new line, also such as a later
 * commit takes off again, and files that are no text. Of a merge only what is on neither side. It comes as git says it, a
 * file in any number of parts, so that work of any size blocks nothing.
 */
export async function addedText(repository: Repository, tip: Oid, not: readonly Oid[], tell: (added: AddedText) => void): Promise<void> {
  const patch = ["-p", "--text", "--unified=0", "--no-renames", "--no-ext-diff", "--no-textconv", "--diff-merges=dense-combined"];
  const format = "--format=%x00%an %ae%n%cn %ce%n%B%x00";
  const args = ["-c", "log.follow=false", "log", ...patch, format, tip, ...not.map((oid) => `^${oid}`)];
  const read = patchReader(tell);
  const decoder = new StringDecoder("utf8");
  let open = "";
  const onAnswer = (chunk: Buffer): void => {
    const text = open + decoder.write(chunk);
    const end = text.lastIndexOf("\n") + 1;
    if (end > 0) read(text.slice(0, end - 1));
    open = text.slice(end);
    if (open.length < LONGEST_LINE) return;
    read(open);
    open = open.slice(-OVERLAP);
  };
  await runGit(repository, { ...ownGit(repository, "plain"), args, onAnswer });
  read(open + decoder.end());
}

/** Returns a commit of `tip`, and not of `not`, whose parents `.git/shallow` hides; undefined if there is none. */
export async function cutOff(repository: Repository, tip: Oid, not: readonly Oid[]): Promise<Oid | undefined> {
  const shallow = readText(join(repository.commonDir, "shallow"))?.split("\n").filter(Boolean) ?? [];
  if (shallow.length === 0) return undefined;
  const own = new Set(await commitsBeyond(repository, [tip], not));
  return shallow.find((oid) => own.has(oid));
}

/** Reads a log in parts of whole lines. Each call continues where the last one ended. */
function patchReader(tell: (added: AddedText) => void): (lines: string) => void {
  let path: string | null = null;
  let isMessage = false;
  // How many signs stand before a line: one for each parent; 0: before the first hunk.
  let signs = 0;
  return (all) => {
    let lines: string[] = [];
    const flush = (): void => {
      if (lines.length > 0) tell({ path, text: lines.join("\n") });
      lines = [];
    };
    for (const line of all.split("\n")) {
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
  };
}
