import { type Rule, withoutEndings } from "../rule.ts";

const PROSE = /\.(?:md|markdown|mdx|txt|rst|snap|ya?ml|py|pug|jade|haml)$/i;

export const sameButFormat: Rule = {
  name: "same-but-format",
  level: "safe",
  statement: "both sides made the same change and differ only in white space, or in quotes, semicolons and final commas as well",
  apply: ({ base, ours, theirs }, file) => {
    if (PROSE.test(file.path) || bare(ours) === "" || bare(ours) !== bare(theirs)) return undefined;
    if (blankless(ours) === blankless(theirs)) return ours;
    // Which of two styles is the file's: the one that the lines around the hunk have.
    const [our, their] = [semicolons(ours), semicolons(theirs)];
    if (our === their) return bare(base) === bare(theirs) ? ours : undefined;
    return semicolons(file.ours) >= 0.5 === our > their ? ours : theirs;
  },
};

const blankless = (lines: readonly string[]): string => lines.join("").replace(/\s+/g, "");

/** The text without what formatters put in or take out. */
const bare = (lines: readonly string[]): string =>
  blankless(lines)
    .replace(/;|,(?=[)\]}]|$)/g, "")
    .replace(/"/g, "'");

/** The share of lines of code that end with a semicolon, among those that could. */
function semicolons(lines: readonly string[]): number {
  const ends = withoutEndings(lines).map((line) => line.trimEnd().at(-1));
  const could = ends.filter((end) => end !== undefined && !"{}([,:".includes(end));
  return could.length === 0 ? 0 : could.filter((end) => end === ";").length / could.length;
}
