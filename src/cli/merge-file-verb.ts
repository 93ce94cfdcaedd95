import { resolve } from "node:path";
import { count, EXIT, type ExitCode, GraftworkError } from "../domain/index.ts";
import { type AppliedRule, type ResolverLevel, resolveBeside } from "../merge/index.ts";
import { readBytes } from "../state/index.ts";
import type { Shell } from "./shell.ts";

const LEVELS: readonly ResolverLevel[] = ["off", "safe", "assist"];

/** The three sides' files, and the path that says what kind of file they are. */
export type MergeFileArguments = { base: string; ours: string; theirs: string; path: string };

/** Merges one file by the resolvers' rules: the result on stdout, or MERGE_DECLINED. */
export async function mergeFile(shell: Shell, { base, ours, theirs, path }: MergeFileArguments, named: string): Promise<ExitCode> {
  const level = LEVELS.find((one) => one === named);
  if (level === undefined) {
    throw new GraftworkError("USAGE", {
      message: `There is no level ${JSON.stringify(named)}.`,
      because: `the levels are ${LEVELS.join(", ")}.`,
      try: "`graftwork merge-file --level safe BASE OURS THEIRS PATH`.",
    });
  }
  const read = (file: string): string => textOf(resolve(shell.cwd, file), file);
  const resolution = await resolveBeside({ level, path, base: read(base), ours: read(ours), theirs: read(theirs) });
  if (resolution.kind === "declined") {
    const { why, hunksLeft, applied } = resolution;
    throw new GraftworkError("MERGE_DECLINED", {
      message: `${path} is not merged.`,
      because: `${why}${hunksLeft.length > 0 ? ` (${count(hunksLeft.length, "hunk")})` : ""}.`,
      try: "merge it by hand; `git merge-file` writes both sides with markers.",
      details: { path, level, why, hunksLeft: hunksLeft.map(({ at }) => at), applied: applied.map(shown) },
    });
  }
  if (shell.json) shell.answer("", { path, level, text: resolution.text, applied: resolution.applied.map(shown) });
  else shell.writeRaw(resolution.text);
  return EXIT.ok;
}

/** Which rule resolved which hunk, and the lines that it replaced by others. */
function shown({ rule, hunk, replaced }: AppliedRule): object {
  return { rule, at: hunk.at, lines: { base: hunk.base.length, ours: hunk.ours.length, theirs: hunk.theirs.length }, replaced };
}

function textOf(file: string, named: string): string {
  const bytes = bytesOf(file, named);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new GraftworkError("MERGE_DECLINED", {
      message: `${named} is not merged.`,
      because: "it is not text in UTF-8.",
      try: "choose one side by hand.",
      details: { path: named },
    });
  }
}

function bytesOf(file: string, named: string): Buffer {
  const bytes = readBytes(file);
  if (bytes !== undefined) return bytes;
  throw new GraftworkError("USAGE", {
    message: `${named} cannot be read.`,
    because: "there is no such file, or it is none to read.",
    try: "name the three files in the order BASE OURS THEIRS; /dev/null stands for a base that never was.",
  });
}
