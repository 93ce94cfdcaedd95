import { importStatements, namesBoundBy } from "../import-statements.ts";
import { breaksLockstep } from "../lockstep.ts";
import { decidedItem, type Members, type MergedOrder } from "./merge-members.ts";
import type { Item } from "./tile.ts";

/** What speaks against a union of members of a region of this kind though each of them could stand where it does. */
export function isDoubtful({ ids, members }: MergedOrder, kind: string): boolean {
  return hasTwins(members) || hasSameNumber(members, kind) || movesImports(members) || mixesVersions(ids, members);
}

const FEWEST_LINES = 3;
const MOST_SHARED = 0.6;

/** True where both sides added nearly the same member under two names: one change made twice, and named otherwise since. */
function hasTwins({ base, ours, theirs }: Members): boolean {
  const added = (one: ReadonlyMap<string, Item>, other: ReadonlyMap<string, Item>): string[][] =>
    [...one.values()].filter(({ id }) => !base.has(id) && !other.has(id)).map(({ text }) => wordyLines(text));
  const ofTheirs = added(theirs, ours);
  return added(ours, theirs).some((lines) => ofTheirs.some((others) => areTwins(lines, others)));
}

function areTwins(one: readonly string[], other: readonly string[]): boolean {
  const fewer = Math.min(one.length, other.length);
  return fewer >= FEWEST_LINES && one.filter((line) => other.includes(line)).length > MOST_SHARED * fewer;
}

const wordyLines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /\p{L}{2}/u.test(line));

const VALUE = /[:=]\s*([^:=]+)$/;
const NUMBER = /^-?(?:0x[\da-f]+|[\d.]+(?:\s*<<\s*\d+)?)$/i;

/**
 * True where both sides took the next free number for an entry of their own: an enum's values, or those of an object that
 * are numbers all, each another one.
 */
function hasSameNumber({ base, ours, theirs }: Members, kind: string): boolean {
  if (kind !== "TSEnumDeclaration" && kind !== "ObjectExpression") return false;
  const valueOf = ({ text }: Item): string => VALUE.exec(text)?.[1]?.trim() ?? "";
  const known = [...base.values()].map(valueOf);
  if (kind === "ObjectExpression" && (known.length < 2 || new Set(known).size < known.length || !known.every((one) => NUMBER.test(one))))
    return false;
  const added = (side: ReadonlyMap<string, Item>, other: ReadonlyMap<string, Item>): string[] =>
    [...side.values()].filter(({ id }) => !base.has(id) && !other.has(id)).map(valueOf);
  const ofTheirs = added(theirs, ours);
  return added(ours, theirs).some((value) => ofTheirs.includes(value));
}

/** True where one side imports a name of the base in another way or from elsewhere while the other changed imports too. */
function movesImports({ base, ours, theirs }: Members): boolean {
  const before = importedNames(base);
  return [[ours, theirs] as const, [theirs, ours] as const].some(([side, other]) => {
    const now = importedNames(side);
    const isMoved = [...now].some(([name, { id }]) => (before.get(name)?.id ?? id) !== id);
    const others = importedNames(other);
    return isMoved && (others.size !== before.size || [...others].some(([name, { id }]) => before.get(name)?.id !== id));
  });
}

/** Which member imports a name. */
function importedNames(items: ReadonlyMap<string, Item>): Map<string, Item> {
  const names = new Map<string, Item>();
  for (const item of items.values())
    for (const statement of importStatements(`${item.text}\n`) ?? []) for (const name of namesBoundBy(statement)) names.set(name, item);
  return names;
}

function mixesVersions(ids: readonly string[], members: Members): boolean {
  const listed = (items: readonly (Item | undefined)[]) =>
    items.flatMap((item) => (item === undefined ? [] : [{ key: /^"(?:[^"\\]|\\.)*"/.exec(item.text)?.[0] ?? "", text: item.text }]));
  const merged = ids.map((id) => decidedItem(id, members) ?? members.ours.get(id));
  return breaksLockstep([listed([...members.ours.values()]), listed([...members.theirs.values()])], listed(merged));
}
