import { type Rule, withoutEndings } from "../rule.ts";
import { higherVersion } from "../semver.ts";

const MANIFEST = /(?:^|\/)(?:package|bower|component|composer|manifest|lerna)\.json$|(?:^|\/)(?:Cargo|pyproject)\.toml$/;
const VERSION = /\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/g;

export const versions: Rule = {
  name: "versions",
  level: "safe",
  statement: "lines of a manifest differ in version numbers only, and no side lowered one: the higher one is taken",
  apply: ({ base, ours, theirs }, { path }) => {
    if (!MANIFEST.test(path)) return undefined;
    if (base.length === 0 || base.length !== ours.length || base.length !== theirs.length) return undefined;
    const [before, our, their] = [base, ours, theirs].map((lines) => withoutEndings(lines).map(numbersOf)) as [Line[], Line[], Line[]];
    const merged: string[] = [];
    for (const [n, line] of ours.entries()) {
      const highest = highestOf(before[n], our[n], their[n]);
      if (highest === undefined) return undefined;
      let next = 0;
      merged.push(line.replace(VERSION, () => highest[next++] ?? ""));
    }
    return merged;
  },
};

type Line = { frame: string; numbers: string[] };

function numbersOf(line: string): Line {
  return { frame: line.replace(VERSION, "#"), numbers: line.match(VERSION) ?? [] };
}

function highestOf(base: Line | undefined, ours: Line | undefined, theirs: Line | undefined): string[] | undefined {
  if (base === undefined || ours === undefined || theirs === undefined) return undefined;
  if (base.frame !== ours.frame || base.frame !== theirs.frame) return undefined;
  const highest = base.numbers.map((number, n) => higherVersion(number, ours.numbers[n] ?? "", theirs.numbers[n] ?? ""));
  return highest.some((one) => one === undefined) ? undefined : (highest as string[]);
}
