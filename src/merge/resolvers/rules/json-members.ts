import { type Member, mergeMembers } from "../keyed.ts";
import { type Rule, withoutEndings } from "../rule.ts";
import { higherVersion } from "../semver.ts";

const MEMBER = /^(\s*)("(?:[^"\\]|\\.)*")\s*:\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\[[^[\]{}]*\])\s*(,?)\s*$/;
const VERSION = /^(\D*)(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(\D*)$/;

export const jsonMembers: Rule = {
  name: "json-members",
  level: "safe",
  statement: "members of a JSON object, one a line: each key that one side changed is taken, of two raised versions the higher",
  apply: ({ base, ours, theirs }, { path }) => {
    if (!/\.json$/.test(path)) return undefined;
    const [before, our, their] = [membersOf(base), membersOf(ours), membersOf(theirs)];
    if (before === undefined || our === undefined || their === undefined) return undefined;
    const indents = new Set([...before.indents, ...our.indents, ...their.indents]);
    if (indents.size !== 1 || !our.ended || !their.ended) return undefined;
    // The last member of the hunk has a comma where another member follows: each side says so, or has none at all.
    const commas = new Set([before, our, their].filter(({ members }) => members.length > 0).map(({ lastComma }) => lastComma));
    if (commas.size !== 1) return undefined;
    if (breaksLockstep(before.members, our.members, their.members) || breaksLockstep(before.members, their.members, our.members))
      return undefined;
    const merged = mergeMembers(before.members, our.members, their.members, higher);
    const last = commas.has(true) ? "," : "";
    return merged?.map(({ text }, n) => `${text}${n === merged.length - 1 ? last : ","}${ending(ours, theirs)}`);
  },
};

type Members = { members: Member[]; indents: string[]; lastComma: boolean; ended: boolean };

/** Undefined where a line is no whole member, or a comma is missing between two. */
function membersOf(lines: readonly string[]): Members | undefined {
  const found = withoutEndings(lines).map((line) => MEMBER.exec(line));
  const members: Member[] = [];
  for (const [n, match] of found.entries()) {
    if (match === null || (match[4] === "" && n < found.length - 1)) return undefined;
    members.push({ key: match[2] ?? "", text: `${match[1]}${match[2]}: ${match[3]}` });
  }
  const indents = found.map((match) => match?.[1] ?? "");
  return { members, indents, lastComma: found.at(-1)?.[4] === ",", ended: lines.every((line) => line.endsWith("\n")) };
}

/** True where one side raised a version and the other added a member that has the version of before. */
function breaksLockstep(base: readonly Member[], raising: readonly Member[], adding: readonly Member[]): boolean {
  const before = new Map(base.map(({ key, text }) => [key, valueOf(text)]));
  const raised = raising.filter(({ key, text }) => before.has(key) && before.get(key) !== valueOf(text)).map(({ key }) => before.get(key));
  return adding.some(({ key, text }) => !before.has(key) && raised.includes(valueOf(text)));
}

const valueOf = (text: string): string => text.slice(text.indexOf('": ') + 3);

function ending(ours: readonly string[], theirs: readonly string[]): string {
  return (ours[0] ?? theirs[0])?.endsWith("\r\n") === true ? "\r\n" : "\n";
}

/** Of two versions with the same range sign the higher. */
function higher(base: string, ours: string, theirs: string): string | undefined {
  const [from, our, their] = [base, ours, theirs].map(splitVersion);
  if (from === undefined || our === undefined || their === undefined) return undefined;
  if (our.head !== their.head || our.tail !== their.tail) return undefined;
  const version = higherVersion(from.version, our.version, their.version);
  return version === undefined ? undefined : `${our.head}${version}${our.tail}`;
}

function splitVersion(text: string): { head: string; version: string; tail: string } | undefined {
  const at = text.indexOf('": ') + 3;
  const found = VERSION.exec(text.slice(at));
  if (found === null || at < 3) return undefined;
  return { head: `${text.slice(0, at)}${found[1]}`, version: found[2] ?? "", tail: found[3] ?? "" };
}
