import { basename } from "node:path";
import { splitLines } from "./align/text-lines.ts";
import { jsonDefects, mixedConditions } from "./proof/json-keys.ts";
import { expectedCounts, miscounted } from "./proof/line-counts.ts";
import { newMarkers } from "./proof/markers.ts";
import { nameDefects, namesIn } from "./proof/names.ts";
import { isScript, loadParser, type Parse } from "./syntax/parse.ts";
import { repeatedMembers } from "./syntax/repeated-members.ts";

export type Finding = { kind: "markers" | "unreadable" | "names" | "brackets" | "lines"; what: string };

/**
 * What speaks against a merge of one file, for any that no person looked at: made by a rule, or by git where both sides
 * touched the file. Empty where nothing does. Nothing that a side had wrong already is held against the merge. `exempt`
 * are texts of lines that a rule replaced by others, which therefore need not be there as often as both sides want.
 */
export async function proveMerge(
  base: string,
  ours: string,
  theirs: string,
  merged: string,
  path: string,
  exempt: readonly string[] = [],
): Promise<Finding[]> {
  return proveBy(isScript(path) ? await loadParser() : undefined, base, ours, theirs, merged, path, exempt);
}

/** The same with the parser at hand; undefined where the file needs none. */
export function proveBy(
  parse: Parse | undefined,
  base: string,
  ours: string,
  theirs: string,
  merged: string,
  path: string,
  exempt: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  const add = (kind: Finding["kind"], whats: readonly string[]): void => {
    findings.push(...whats.map((what) => ({ kind, what })));
  };
  if (newMarkers(base, ours, theirs, merged).length > 0) add("markers", ["a conflict marker is left"]);
  if (path.endsWith(".json")) add("unreadable", newDefects(jsonDefects, merged, [ours, theirs]));
  if (basename(path) === "package.json") add("unreadable", mixedConditions(ours, theirs, merged));
  if (isScript(path)) {
    const sides = [base, ours, theirs];
    add("names", nameDefects(namesIn(merged), [namesIn(ours), namesIn(theirs)]));
    // Where a side is of a dialect that the parser does not know, brackets in pairs are all that can be asked for.
    if (parse === undefined || sides.some((side) => parse(path, side) === undefined)) add("brackets", unbalanced(merged, sides));
    else add("unreadable", newSyntaxDefects(parse, path, merged, sides));
  }
  add("lines", wrongLines(base, ours, theirs, merged, exempt));
  return findings;
}

function newSyntaxDefects(parse: Parse, path: string, merged: string, sides: readonly string[]): string[] {
  return newDefects(
    (text) => {
      const tree = parse(path, text);
      return tree === undefined ? ["it does not parse any more"] : [...new Set(repeatedMembers(tree, text))];
    },
    merged,
    sides,
  );
}

function newDefects(defects: (text: string) => string[], merged: string, sides: readonly string[]): string[] {
  const known = new Set(sides.flatMap(defects));
  return defects(merged).filter((one) => !known.has(one));
}

/** Brackets that all sides have in pairs and the merge has not; those in literals count as well, on all sides alike. */
function unbalanced(merged: string, sides: readonly string[]): string[] {
  return ["()", "[]", "{}"]
    .filter((pair) => surplus(merged, pair) !== 0 && sides.every((side) => surplus(side, pair) === 0))
    .map((pair) => `the brackets ${pair} are not in pairs`);
}

function surplus(text: string, pair: string): number {
  let count = 0;
  for (const char of text) {
    if (char === pair[0]) count++;
    else if (char === pair[1]) count--;
  }
  return count;
}

function wrongLines(base: string, ours: string, theirs: string, merged: string, exempt: readonly string[]): string[] {
  const free = new Set(exempt);
  const expected = expectedCounts(splitLines(base), splitLines(ours), splitLines(theirs));
  return miscounted(expected, splitLines(merged))
    .filter(({ line }) => !free.has(line))
    .map(({ line, expected: wanted, found }) => `${JSON.stringify(line.trim())} is there ${found} times, not ${wanted}`);
}
