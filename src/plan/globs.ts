import picomatch from "picomatch";
import { plainGlob } from "./glob-text.ts";

/** A glob cut at its slashes. Part of one that cannot be judged alone is `**`: anything may stand there. */
export type GlobPath = {
  /** The literal parts at its beginning. */
  base: readonly string[];
  parts: readonly string[];
};

const ANY = "**";
/** Braces, groups, escapes and quotes may span slashes: from there on all is possible. */
const OPAQUE = /[{}()|\\"]|.\*\*|\*\*./;
/** Brackets that close within their part; others may close behind a slash. */
const BRACKETS = /^[^[\]]*(?:\[[^[\]]+\][^[\]]*)*$/;
const MAGIC = /[*?[\]]/;

/** Case and Unicode form are levelled: file systems differ in them, and to overlap is the safe answer. */
export function readGlob(glob: string): GlobPath {
  const parts = plainGlob(glob.normalize("NFC").toLowerCase()).split("/");
  // `!` and `|` turn or divide the whole glob.
  const opaque = /(?:^|\/)!|\|/.test(glob) ? 0 : parts.findIndex((part) => OPAQUE.test(part) || !BRACKETS.test(part));
  const known = opaque === -1 ? parts : [...parts.slice(0, opaque), ANY];
  const magic = known.findIndex((part) => MAGIC.test(part));
  // A path written out may turn out to be a folder.
  return magic === -1 ? { base: known, parts: [...known, ANY] } : { base: known.slice(0, magic), parts: known };
}

/**
 * False only where no path can match both globs. Where that cannot be seen, true: two tasks that could have run side
 * by side run one after the other, which costs time and no work.
 */
export function globsMayOverlap(a: string, b: string): boolean {
  return pathsMayOverlap(readGlob(a), readGlob(b));
}

export function pathsMayOverlap(a: GlobPath, b: GlobPath): boolean {
  // Row by row over the parts of `a`: which positions in `b` can be reached with both still matching one path.
  const width = b.parts.length + 1;
  let below: boolean[] = [];
  for (let i = a.parts.length; i >= 0; i--) {
    const row: boolean[] = Array.from({ length: width }, () => false);
    const x = a.parts[i];
    for (let j = width - 1; j >= 0; j--) {
      const y = b.parts[j];
      if (x === undefined && y === undefined) row[j] = true;
      else if (x === ANY && (below[j] || (y !== undefined && row[j + 1]))) row[j] = true;
      else if (y === ANY && (row[j + 1] || (x !== undefined && below[j]))) row[j] = true;
      else if (x !== undefined && y !== undefined && x !== ANY && y !== ANY) row[j] = below[j + 1] === true && partsMayOverlap(x, y);
    }
    below = row;
  }
  return below[0] === true;
}

/** Two names without slashes: disjoint where the fixed beginnings or the fixed ends contradict each other. */
function partsMayOverlap(a: string, b: string): boolean {
  const [x, y] = [edges(a), edges(b)];
  if (x.literal && y.literal) return a === b;
  if (x.literal) return a.startsWith(y.head) && a.endsWith(y.tail) && a.length >= y.head.length + y.tail.length;
  if (y.literal) return b.startsWith(x.head) && b.endsWith(x.tail) && b.length >= x.head.length + x.tail.length;
  return (x.head.startsWith(y.head) || y.head.startsWith(x.head)) && (x.tail.endsWith(y.tail) || y.tail.endsWith(x.tail));
}

function edges(part: string): { literal: boolean; head: string; tail: string } {
  const first = part.search(MAGIC);
  if (first === -1) return { literal: true, head: part, tail: part };
  // What follows a bracket may repeat it (`[ab]+`), so that its text is no fixed end.
  const tail = part.includes("[") ? "" : (/[^*?]*$/.exec(part)?.[0] ?? "");
  return { literal: false, head: part.slice(0, first), tail };
}

/** Whether a path (with `/`, relative to the repository) is one of those that `globs` name. */
export function filesMatcher(globs: readonly string[]): (path: string) => boolean {
  const matchers = globs.map((glob) => picomatch(glob, { dot: true }));
  const folders = globs.filter((glob) => !MAGIC.test(glob) && !OPAQUE.test(glob)).map((glob) => `${glob}/`);
  return (path) => matchers.some((matches) => matches(path)) || folders.some((folder) => path.startsWith(folder));
}
