import { type Oid, type Repository, readBlob, type Side, symlinksIn, type TreeDifference, treeDifferences } from "../git/index.ts";
import { otherManagers } from "./other-manager.ts";
import { COMMANDS, INSTALLER, protectionOf } from "./protected-paths.ts";

/** A path whose change only a person lets in, and what it decides. */
export type ProtectedChange = { path: string; what: string; to: Side | null };

/** Which protected paths become another between two trees, or two commits; files of approved commands (`commandFiles`) too. */
export async function protectedChanges(
  repository: Repository,
  from: Oid,
  to: Oid,
  ofCommands: readonly string[] = [],
): Promise<ProtectedChange[]> {
  const found: ProtectedChange[] = [];
  const differences = await treeDifferences(repository, from, to);
  const protectionAt = differences.length === 0 ? protectionOf : await protectionsOf(repository, [from, to], ofCommands);
  const managers = await otherManagers(repository, from, differences);
  for (const difference of differences) {
    const { path } = difference;
    const protection = protectionAt(path) ?? (managers.has(path) ? INSTALLER : undefined);
    if (protection === undefined) continue;
    const { what, part } = protection;
    if (part !== undefined && (await isSamePart(repository, difference, part))) continue;
    found.push({ path, what, to: difference.to });
  }
  return found;
}

/** Tells what a path decides in these trees: by its name, or since a link of such a name leads to it. */
async function protectionsOf(repository: Repository, trees: readonly Oid[], ofCommands: readonly string[]): Promise<typeof protectionOf> {
  const byName: typeof protectionOf = (path) => protectionOf(path) ?? (ofCommands.includes(path) ? COMMANDS : undefined);
  const links = await Promise.all(trees.map((tree) => symlinksIn(repository, tree)));
  const behind = links.flatMap((one) =>
    [...one].flatMap(([path, places]) => {
      const protection = byName(path);
      return protection === undefined ? [] : places.map((target) => ({ target, protection }));
    }),
  );
  return (path) =>
    byName(path) ?? behind.find(({ target }) => path === target || path.startsWith(`${target}/`) || target === ".")?.protection;
}

/** True if what decides is the same on both sides. A file that is none, such as a link, counts whole. */
async function isSamePart(repository: Repository, { from, to }: TreeDifference, part: (text: string) => string): Promise<boolean> {
  const textOf = async (side: Side | null): Promise<string | undefined> => {
    if (side === null) return "";
    return side.mode.startsWith("100") ? (await readBlob(repository, side.oid)).toString("utf8") : undefined;
  };
  const [before, now] = await Promise.all([textOf(from), textOf(to)]);
  return before !== undefined && now !== undefined && part(before) === part(now);
}

/** Work that only a person may let in: the paths, if any, and the reason. */
export type Held = { paths: readonly string[]; reason: string; startOver?: true };

/** Returns what a person has to let in, in words; undefined if there is no protected change. */
export function heldFor(changes: readonly ProtectedChange[]): Held | undefined {
  if (changes.length === 0) return undefined;
  const whats = [...new Set(changes.map(({ what }) => what))].join(", ");
  const paths = changes.map(({ path }) => path);
  return { paths, reason: `it changes ${whats}: ${paths.slice(0, NAMED).join(", ")}. Only a person lets that in` };
}

/** So many are named. */
export const NAMED = 20;
