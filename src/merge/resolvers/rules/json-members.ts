import { type JsonMembers, readJsonMembers } from "../json-members.ts";
import { type Member, mergeMembers } from "../keyed.ts";
import { breaksLockstep } from "../lockstep.ts";
import type { Rule } from "../rule.ts";
import { higherVersion } from "../semver.ts";

const VERSION = /\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?/g;

export const jsonMembers: Rule = {
  name: "json-members",
  level: "safe",
  statement:
    "whole members of a JSON object: of each key the change of the one side that made one; of two raised versions the higher; a removal stands against raised versions",
  apply: ({ base, ours, theirs }, { path }) => {
    if (!path.endsWith(".json")) return undefined;
    const [before, our, their] = [readJsonMembers(base), readJsonMembers(ours), readJsonMembers(theirs)];
    if (before === undefined || our === undefined || their === undefined) return undefined;
    const sides = [before, our, their].filter(({ members }) => members.length > 0);
    // The last member has a comma where another one follows the hunk: all sides must agree on that.
    if (new Set(sides.map(({ lastComma }) => lastComma)).size !== 1 || new Set(sides.map(({ indent }) => indent)).size !== 1)
      return undefined;
    if (![ours, theirs].flat().every((line) => line.endsWith("\n"))) return undefined;
    const merged = mergeMembers(...withoutMoot(before, our, their), higher);
    if (merged === undefined || breaksLockstep([our.members, their.members], merged)) return undefined;
    const last = sides[0]?.lastComma === true ? "," : "";
    const ending = [...ours, ...theirs].some((line) => line.endsWith("\r\n")) ? "\r\n" : "\n";
    return merged.flatMap(({ text }, n) => linesOf(`${text}${n === merged.length - 1 ? last : ","}${ending}`));
  },
};

const linesOf = (text: string): string[] => text.match(/[^\n]*\n/g) ?? [];

/**
 * The three sides' members without those that one side removed while the other only raised versions in them: of a
 * dependency that is not there any more no version matters.
 */
function withoutMoot(base: JsonMembers, ours: JsonMembers, theirs: JsonMembers): [Member[], Member[], Member[]] {
  const textOf = ({ members }: JsonMembers, key: string): string | undefined => members.find((member) => member.key === key)?.text;
  const isMoot = ({ key, text }: Member): boolean => {
    const left = [textOf(ours, key), textOf(theirs, key)].filter((one) => one !== undefined);
    return left.length === 1 && differInVersions(text, left[0] ?? "");
  };
  const moot = new Set(base.members.filter(isMoot).map(({ key }) => key));
  const kept = ({ members }: JsonMembers): Member[] => members.filter(({ key }) => !moot.has(key));
  return [kept(base), kept(ours), kept(theirs)];
}

function differInVersions(one: string, other: string): boolean {
  return one !== other && one.replace(VERSION, "#") === other.replace(VERSION, "#");
}

/** Where three texts differ in version numbers only, each the higher; the changed one where one side alone changed it. */
function higher(base: string, ours: string, theirs: string): string | undefined {
  const frame = base.replace(VERSION, "#");
  if (ours.replace(VERSION, "#") !== frame || theirs.replace(VERSION, "#") !== frame) return undefined;
  const versionsOf = (text: string): readonly string[] => text.match(VERSION) ?? [];
  const [our, their] = [versionsOf(ours), versionsOf(theirs)];
  const highest = versionsOf(base).map((version, n) => higherVersion(version, our[n] ?? "", their[n] ?? ""));
  if (highest.some((version) => version === undefined)) return undefined;
  let next = 0;
  return ours.replace(VERSION, () => highest[next++] ?? "");
}
