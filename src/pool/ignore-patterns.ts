import { trimEndOf } from "../domain/index.ts";
import { type GlobStep, matchesGlob } from "./glob-machine.ts";

/** One line of a file like `.gitignore`. */
export type IgnoreRule = { steps: readonly GlobStep[]; negated: boolean; foldersOnly: boolean };

/** The rules of a text like `.gitignore`, in its order. */
export function parseIgnore(text: string): IgnoreRule[] {
  return text.split(/\r?\n/).flatMap((line) => ruleOf(line) ?? []);
}

function ruleOf(line: string): IgnoreRule | undefined {
  if (line.startsWith("#")) return undefined;
  // Blanks at the end count only behind a backslash.
  let glob = trimEndOf(line, (letter) => letter === " " || letter === "\t");
  // A backslash keeps the blank behind it.
  if (glob.endsWith("\\") && glob.length < line.length) glob = line.slice(0, glob.length + 1);
  const negated = glob.startsWith("!");
  if (negated) glob = glob.slice(1);
  const foldersOnly = glob.endsWith("/");
  if (foldersOnly) glob = glob.slice(0, -1);
  if (glob === "" || glob === "/") return undefined;
  const anchored = glob.includes("/");
  const steps = stepsOf(glob.replace(/^\//, ""));
  if (steps === undefined) return undefined;
  return { steps: anchored ? steps : [{ kind: "folders" }, ...steps], negated, foldersOnly };
}

const isAny = (): boolean => true;
const isNoSlash = (letter: string): boolean => letter !== "/";
const is = (wanted: string): GlobStep => ({ kind: "one", matches: (letter) => letter === wanted });

/** The steps of a glob; undefined where it can match nothing (`[` without its end). */
function stepsOf(glob: string): GlobStep[] | undefined {
  const steps: GlobStep[] = [];
  const letters = Array.from(glob);
  for (let at = 0; at < letters.length; ) {
    const letter = letters[at] ?? "";
    const stars = countOf(letters, at, "*");
    const after = letters[at + 3];
    if (stars === 2 && letters[at + 2] === "/") {
      // In the middle of a name, two stars are one.
      steps.push(...(at === 0 ? [FOLDERS] : [MANY, is("/")]));
      at += 3;
    } else if (letter === "/" && countOf(letters, at + 1, "*") === 2 && (after === "/" || after === undefined)) {
      steps.push(is("/"), ...(after === "/" ? [FOLDERS] : [{ kind: "many", matches: isAny } as const]));
      at += after === "/" ? 4 : 3;
    } else if (stars > 0) {
      steps.push(stars === letters.length ? { kind: "many", matches: isAny } : MANY);
      at += stars;
    } else if (letter === "?") {
      steps.push({ kind: "one", matches: isNoSlash });
      at += 1;
    } else if (letter === "[") {
      const set = setAt(letters, at);
      if (set === undefined) return undefined;
      steps.push({ kind: "one", matches: (one) => one !== "/" && set.matches(one) });
      at = set.end;
    } else {
      const isEscaped = letter === "\\" && at + 1 < letters.length;
      if (letter === "\\" && !isEscaped) return undefined;
      steps.push(is(letters[isEscaped ? at + 1 : at] ?? ""));
      at += isEscaped ? 2 : 1;
    }
  }
  return steps;
}

const FOLDERS: GlobStep = { kind: "folders" };
const MANY: GlobStep = { kind: "many", matches: isNoSlash };

function countOf(letters: readonly string[], from: number, wanted: string): number {
  let n = from;
  while (letters[n] === wanted) n += 1;
  return n - from;
}

/** The letters between brackets (`[a-z]`, `[!x]`), and where the pattern goes on. */
function setAt(letters: readonly string[], from: number): { matches: (letter: string) => boolean; end: number } | undefined {
  let at = from + 1;
  const isNot = letters[at] === "!" || letters[at] === "^";
  if (isNot) at += 1;
  const singles = new Set<string>();
  const ranges: [from: string, to: string][] = [];
  for (let isFirst = true; isFirst || letters[at] !== "]"; isFirst = false) {
    const escaped = letters[at] === "\\" ? at + 1 : at;
    const low = letters[escaped];
    if (low === undefined) return undefined;
    const high = letters[escaped + 1] === "-" && letters[escaped + 2] !== "]" ? letters[escaped + 2] : undefined;
    if (high === undefined) singles.add(low);
    else ranges.push([low, high]);
    at = escaped + (high === undefined ? 1 : 3);
  }
  const has = (letter: string): boolean => singles.has(letter) || ranges.some(([low, high]) => low <= letter && letter <= high);
  return { matches: (letter) => has(letter) !== isNot, end: at + 1 };
}

/** What the rules say of one path by itself; undefined: nothing. */
export function sayOf(rules: readonly IgnoreRule[], path: string, isFolder: boolean): boolean | undefined {
  const last = rules.findLast((rule) => (isFolder || !rule.foldersOnly) && matchesGlob(rule.steps, path));
  return last === undefined ? undefined : !last.negated;
}

/** True where the rules name a file or a folder above it: what is in a named folder cannot be taken out again. */
export function isNamed(rules: readonly IgnoreRule[], path: string): boolean {
  for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1))
    if (sayOf(rules, path.slice(0, end), true) === true) return true;
  return sayOf(rules, path, false) === true;
}
