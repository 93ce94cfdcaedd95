import type { Hunk } from "../align/three-way.ts";
import { type ImportStatement, importStatements, type Layout, layoutOf, namesBoundBy, withNames } from "../import-statements.ts";
import { alphabetically, type Compare, isSorted, mergeMembers, orderKeys } from "../keyed.ts";
import type { FileContext, Rule } from "../rule.ts";

export const imports: Rule = {
  name: "imports",
  level: "safe",
  statement: "imports only: of each module the names that either side added are kept, and those that either side removed go",
  apply: (hunk, file) => {
    if (!/\.(?:[cm]?[jt]sx?|vue|svelte)$/.test(file.path)) return undefined;
    const sides = [hunk.base, hunk.ours, hunk.theirs].map((lines) => importStatements(lines.join("")));
    const [base, ours, theirs] = sides.map((side) => (side === undefined ? undefined : bySource(side)));
    if (base === undefined || ours === undefined || theirs === undefined) return undefined;
    if (emptied(hunk) || rewritten(base, ours) || rewritten(base, theirs)) return undefined;
    if (new Set([...base.values(), ...ours.values(), ...theirs.values()].map(styleOf)).size > 1) return undefined;
    const layout = layoutOf([...file.ours, ...file.theirs]);
    const merged = new Map<string, ImportStatement>();
    for (const key of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
      const statement = mergeStatement(base.get(key), ours.get(key), theirs.get(key), layout);
      if (statement === undefined) return undefined;
      if (statement !== REMOVED) merged.set(key, statement);
    }
    const bound = [...merged.values()].flatMap(namesBoundBy);
    if (new Set(bound).size !== bound.length) return undefined;
    const keys = { base: [...base.keys()], ours: [...ours.keys()], theirs: [...theirs.keys()] };
    return orderKeys(keys, (key) => merged.has(key), orderOf(file))?.flatMap(
      (key) => merged.get(key)?.text.match(/[^\n]*\n|[^\n]+$/g) ?? [],
    );
  },
};

const REMOVED = Symbol("removed");

function bySource(statements: readonly ImportStatement[]): Map<string, ImportStatement> | undefined {
  const keyOf = ({ opening, source, whole }: ImportStatement): string => `${source}\n${opening}${whole.startsWith("*") ? " *" : ""}`;
  const map = new Map(statements.map((statement) => [keyOf(statement), statement]));
  return map.size === statements.length ? map : undefined;
}

/** One side took all of it away: most often to another place, where the other side's change belongs too. */
function emptied({ base, ours, theirs }: Hunk): boolean {
  return base.length > 0 && (ours.length === 0 || theirs.length === 0);
}

/** True where a side imports a name of the base in another way or from elsewhere: its style is the next one's too. */
function rewritten(base: ReadonlyMap<string, ImportStatement>, side: ReadonlyMap<string, ImportStatement>): boolean {
  const origins = new Map([...base].flatMap(([key, statement]) => namesBoundBy(statement).map((name) => [name, key])));
  return [...side].some(([key, statement]) => namesBoundBy(statement).some((name) => (origins.get(name) ?? key) !== key));
}

/** What a formatter decides: quotes, final semicolon, blanks in braces. */
function styleOf({ text }: ImportStatement): string {
  const blanks = /\{(\s?)/.exec(text)?.[1];
  return `${/['"]/.exec(text)?.[0]}${/;\s*$/.test(text)}${blanks === "" ? "tight" : ""}`;
}

/** A side that lacks the statement has removed, or never had, all of its names. */
function mergeStatement(
  base: ImportStatement | undefined,
  ours: ImportStatement | undefined,
  theirs: ImportStatement | undefined,
  layout: Layout,
): ImportStatement | typeof REMOVED | undefined {
  if (ours?.text === theirs?.text || theirs?.text === base?.text) return ours ?? REMOVED;
  if (ours?.text === base?.text) return theirs ?? REMOVED;
  const whole = mergeText(base?.whole ?? "", ours?.whole ?? "", theirs?.whole ?? "");
  if (renames(base, ours) || renames(base, theirs)) return undefined;
  const names = mergeMembers(listed(base), listed(ours), listed(theirs), () => undefined, regardlessOfCase);
  const model = ours ?? theirs;
  if (whole === undefined || names === undefined || model === undefined) return undefined;
  if (whole === "" && names.length === 0) return REMOVED;
  for (const side of [ours, theirs])
    if (
      side !== undefined &&
      side.whole === whole &&
      sameNames(
        side,
        names.map(({ key }) => key),
      )
    )
      return side;
  if (whole !== model.whole || names.length === 0 || model.names.size === 0) return undefined;
  const text = withNames(
    model,
    names.map((name) => name.text),
    layout,
  );
  return { ...model, names: new Map(names.map(({ key, text }) => [key, text])), text };
}

/** True where a side both took names away and added some: the other side's names may want the same new form. */
function renames(base: ImportStatement | undefined, side: ImportStatement | undefined): boolean {
  if (base === undefined || side === undefined) return false;
  return [...base.names.keys()].some((name) => !side.names.has(name)) && [...side.names.keys()].some((name) => !base.names.has(name));
}

function mergeText(base: string, ours: string, theirs: string): string | undefined {
  if (ours === theirs || theirs === base) return ours;
  return ours === base ? theirs : undefined;
}

const listed = (statement: ImportStatement | undefined): { key: string; text: string }[] =>
  [...(statement?.names ?? [])].map(([key, text]) => ({ key, text }));

function sameNames({ names }: ImportStatement, keys: readonly string[]): boolean {
  return names.size === keys.length && keys.every((key) => names.has(key));
}

/** By module where the imports of both whole files are in that order, undefined where they come as they were added. */
function orderOf({ ours, theirs }: FileContext): Compare | undefined {
  const sources = [ours, theirs].map((lines) =>
    lines.map((line) => /^(?:import\b.*|\}) from\s*['"]([^'"]+)['"]/.exec(line)?.[1]).filter((source) => source !== undefined),
  );
  if (sources.some((list) => list.length < 4)) return undefined;
  return [alphabetically, regardlessOfCase].find((compare) => sources.every((list) => isSorted(list, compare)));
}

const regardlessOfCase: Compare = (one, other) => alphabetically(one.toLowerCase(), other.toLowerCase());
