import { isAbsolute, posix, relative } from "node:path";
import type { Check } from "../domain/index.ts";

/** `path`: relative to the project if the program is one of its files; null: a name that the PATH answers. */
export type MissingProgram = { name: string; path: string | null };

const LINES = 20;

/** What shells and `env` say of a program that they cannot run, each with the program as its first group. */
const SAYINGS: readonly RegExp[] = [
  /: (\S+): bad interpreter\b/,
  /\bcommand not found: (\S+)$/,
  /\b(?:Can't|cannot) open '?([^':]+?)'?(?:: No such file.*)?$/,
  /(?:^|: )([^:]+): (?:command |inaccessible or )?not found$/,
  /(?:^|: )([^:]+): (?:No such file or directory|Permission denied|cannot execute\b.*|Exec format error|Is a directory)$/,
];

/**
 * Returns the program that a check with exit code 126 or 127 could not run: the one that the shell named, else the
 * first word of the check if that is a file of the project. Null if nothing tells. `dir` is the checkout, so that
 * absolute paths into it count as files of the project.
 */
export function missingProgram(run: Check["run"], output: string, dir: string): MissingProgram | null {
  const lines = output.trimEnd().split("\n").reverse().slice(0, LINES);
  for (const line of lines) {
    const said = SAYINGS.map((saying) => saying.exec(line.trim())?.[1]).find((word) => word !== undefined);
    // `env` quotes the name; a carriage return at its end shows a script with Windows line ends.
    if (said !== undefined) return programAt(said.replace(/^[‘'"]|[’'"]$/g, "").trim(), dir);
  }
  if (typeof run !== "string") return programAt(run[0] ?? "", dir);
  const first = programAt(run.trim().split(/\s/)[0] ?? "", dir);
  return first.path === null ? null : first;
}

function programAt(name: string, dir: string): MissingProgram {
  const below = isAbsolute(name) ? relative(dir, name) : name;
  const isInside = name.includes("/") && !isAbsolute(below) && !posix.normalize(below).startsWith("..");
  return isInside ? { name: below, path: posix.normalize(below) } : { name, path: null };
}
