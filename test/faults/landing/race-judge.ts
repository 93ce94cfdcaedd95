import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { git, type TempRepo } from "../../fixtures/index.ts";
import { BY_PERSON, type Person } from "./race-person.ts";

/** `again`: verified and not landed as it was, since somebody else was faster. */
export type RaceReport = {
  landed: number;
  again: number;
  ends: Record<string, number>;
  userCommits: number;
  saves: number;
  violations: string[];
};

/** Holds the end of a race against what must be: `log` is the coordinators', `trains` how many they had. */
export function judgeRace({ dir }: TempRepo, log: string, person: Person, trains: number): RaceReport {
  const violations: string[] = [];
  const lines = linesOf(readFileSync(log, "utf8"));
  const verified = new Set(wordsAfter("verified ", lines));
  const moves = linesOf(readFileSync(join(dir, ".git/logs/refs/heads/main"), "utf8"));
  // A target that only ever moved forward has each of its places among its first parents.
  const trunk = new Set(linesOf(git(dir, "rev-list", "--first-parent", "main")));
  for (const move of moves) if (!trunk.has(placeOf(move))) violations.push(`main went back behind ${move}`);
  const landings = moves.filter((line) => line.includes("\tgraftwork: land"));
  for (const to of landings.map(placeOf)) if (!verified.has(to)) violations.push(`main was moved to ${to}, which nobody verified`);
  for (const commit of linesOf(git(dir, "rev-list", "--full-history", "main", "--", "sum.txt")))
    violations.push(`${commit} has the work that is red`);
  violations.push(...missing(dir));
  for (const [name, text] of person.saves)
    if (readFileSync(join(dir, name), "utf8") !== text) violations.push(`the save ${text.trim()} of ${name} is gone`);
  if (existsSync(join(dir, ".git/index.lock"))) violations.push("index.lock was left");
  const status = linesOf(git(dir, "status", "--porcelain"));
  const odd = status.filter((line) => !person.saves.has(line.slice(3)) || !line.startsWith(" M"));
  violations.push(...odd.map((line) => `the checkout has ${line}`));
  const ends = wordsAfter("ended ", lines);
  if (ends.length !== trains) violations.push(`${ends.length} ends of ${trains} trains`);
  return {
    landed: landings.length,
    again: verified.size - landings.length,
    ends: Object.fromEntries([...new Set(ends)].map((kind) => [kind, ends.filter((end) => end === kind).length])),
    userCommits: moves.filter((line) => line.includes(`\t${BY_PERSON}`)).length,
    saves: person.count,
    violations,
  };
}

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line !== "");

const placeOf = (move: string): string => move.split(" ")[1] ?? "";

const wordsAfter = (start: string, lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length).split(/[ :]/)[0] ?? "");

/** What a garbage collection took though a ref holds it. */
function missing(dir: string): string[] {
  try {
    git(dir, "rev-list", "--objects", "--all", "--quiet");
    return [];
  } catch (error) {
    return [`not all is there that refs hold: ${String(error)}`];
  }
}
