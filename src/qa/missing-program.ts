import { isAbsolute, posix, relative } from "node:path";
import type { Check } from "../domain/index.ts";

/** `path`: relative to the project if the program is one of its files; null: a name that the PATH answers. */
export type MissingProgram = { name: string; path: string | null };

const LINES = 20;

/** What shells and `env` say of a program that they cannot run, each with the program as its first group. */
const SAYINGS: readonly RegExp[] = [
  /: (\S+): bad interpreter\b/,
  /\bcommand not found: (\S+)$/,
  /(?:^|: )([^:]+): (?:command |inaccessible or )?not found$/,
  /(?:^|: )([^:]+): (?:Permission denied|cannot execute\b.*|Exec format error|Is a directory)$/,
  /^(?:\S*\/)?env: ([^:]+): No such file or directory$/,
];

/** The same of a script that a shell was told to read: a file, even without a slash in its name. */
const SCRIPT_SAYINGS: readonly RegExp[] = [
  /\b(?:Can't|cannot) open '?([^':]+?)'?(?:: No such file.*)?$/,
  /(?:^|: )([^:]+): No such file or directory$/,
];

/** What package managers say of a script that package.json does not have. */
const NO_SCRIPT: readonly RegExp[] = [
  /\bMissing script: "?([^"\s]+)"?/,
  /^error Command "([^"]+)" not found\.$/m,
  /\bScript not found "([^"]+)"/,
];

/**
 * Returns the program that a check with exit code 126 or 127 could not run: the one that the shell named, else the
 * first word of the check if that is a file of the project. Null if nothing tells. `dir` is the checkout, so that
 * absolute paths into it count as files of the project.
 */
export function missingProgram(run: Check["run"], output: string, dir: string): MissingProgram | null {
  const lines = output.trimEnd().split("\n").reverse().slice(0, LINES);
  for (const line of lines) {
    const said = saidIn(SAYINGS, line);
    if (said !== undefined) return programAt(said, dir);
    const script = saidIn(SCRIPT_SAYINGS, line);
    if (script !== undefined) return scriptAt(script, dir);
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

function scriptAt(name: string, dir: string): MissingProgram {
  return name.includes("/") ? programAt(name, dir) : programAt(`./${name}`, dir);
}

/** `env` quotes the name; a carriage return at its end shows a script with Windows line ends. */
function saidIn(sayings: readonly RegExp[], line: string): string | undefined {
  const said = sayings.map((saying) => saying.exec(line.trim())?.[1]).find((word) => word !== undefined);
  return said?.replace(/^[‘'"]|[’'"]$/g, "").trim();
}

/** Returns the end of a reason that names what the output of a failed check says is missing; empty if nothing is. */
export function missingHint(output: string, dir: string): string {
  const script = NO_SCRIPT.map((saying) => saying.exec(output)?.[1]).find((word) => word !== undefined);
  if (script !== undefined) return `: package.json has no script \`${script}\``;
  const file = /^\S+: \d+: (?:Can't|cannot) open '?([^':]+?)'?(?:: No such file.*)?$/.exec(output.trimEnd().split("\n").at(-1) ?? "")?.[1];
  return file === undefined ? "" : `: there is no file ${scriptAt(file, dir).path ?? file}`;
}
