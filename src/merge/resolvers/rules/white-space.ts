import { changesBetween } from "../align/changes.ts";
import { type Rule, withoutEndings } from "../rule.ts";

/** Files in which white space means something, or whose text is compared byte by byte; so may one without an ending (Makefile). */
const SIGNIFICANT =
  /\.(?:md|markdown|mdx|ya?ml|pyi?|pyx|pug|jade|haml|slim|sass|styl|coffee|litcoffee|l?hs|elm|purs|fsx?|nim|snap|txt|rst|diff|patch|[ct]sv|mk|mak|am)$|(?:^|\/)(?:\.env[^/]*|\.?[^/.]+)$/i;
/** Marks of literals, and of escapes, in which a blank counts. */
const LITERAL = /['"`\\]/;

export const whiteSpace: Rule = {
  name: "white-space",
  level: "assist",
  statement: "one side changed only blanks within lines; the other side's change of content is taken",
  apply: ({ base, ours, theirs }, { path }) => {
    if (SIGNIFICANT.test(path) || base.every((line) => line.trim() === "")) return undefined;
    if (onlyBlanksDiffer(base, ours)) return onto(base, ours, theirs);
    if (onlyBlanksDiffer(base, theirs)) return onto(base, theirs, ours);
    return undefined;
  },
};

/** The side that changed content, with the lines that it left alone as the other side laid them out. */
function onto(base: readonly string[], laidOut: readonly string[], changed: readonly string[]): readonly string[] {
  const merged: string[] = [];
  let next = 0;
  for (const { before, removed, after, added } of changesBetween(base, changed)) {
    merged.push(...laidOut.slice(next, before));
    next = before + removed;
    const lines = changed.slice(after, after + added);
    if (removed !== added) merged.push(...lines);
    else merged.push(...lines.map((line, n) => indentedAs(line, base[before + n] ?? "", laidOut[before + n] ?? "")));
  }
  return [...merged, ...laidOut.slice(next)];
}

/** A line changed in place, with the indent that its predecessor got on the other side. */
function indentedAs(line: string, before: string, after: string): string {
  const [old, kept, fresh] = [line, before, after].map((one) => /^[ \t]*/.exec(one)?.[0] ?? "") as [string, string, string];
  return old === kept ? fresh + line.slice(old.length) : line;
}

/** The same lines but for the length of runs of blanks; a run inside a line that has a literal must stay as it is. */
function onlyBlanksDiffer(before: readonly string[], after: readonly string[]): boolean {
  if (before.length !== after.length) return false;
  const lines = withoutEndings(after);
  return withoutEndings(before).every((line, n) => collapsed(line) === collapsed(lines[n] ?? ""));
}

function collapsed(line: string): string {
  const trimmed = line.trim();
  return LITERAL.test(trimmed) ? trimmed : trimmed.replace(/[ \t]+/g, " ");
}
