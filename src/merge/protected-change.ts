import { type Oid, type Repository, readBlob, type Side, symlinksIn, type TreeDifference, treeDifferences, treeOf } from "../git/index.ts";
import { secretsInWork, wasDecided } from "../trust/index.ts";
import type { Candidate, TrainContext } from "./candidate.ts";
import { protectionOf } from "./protected-paths.ts";

/** A path whose change only a person lets in, and what it decides. */
export type ProtectedChange = { path: string; what: string; to: Side | null };

/** Which protected paths become another between two trees, or two commits. */
export async function protectedChanges(repository: Repository, from: Oid, to: Oid): Promise<ProtectedChange[]> {
  const found: ProtectedChange[] = [];
  const differences = await treeDifferences(repository, from, to);
  const protectionAt = differences.length === 0 ? protectionOf : await protectionsOf(repository, [from, to]);
  for (const difference of differences) {
    const { path } = difference;
    const protection = protectionAt(path);
    if (protection === undefined) continue;
    const { what, part } = protection;
    if (part !== undefined && (await isSamePart(repository, difference, part))) continue;
    found.push({ path, what, to: difference.to });
  }
  return found;
}

/** Tells what a path decides in these trees: by its name, or since a link of such a name leads to it. */
async function protectionsOf(repository: Repository, trees: readonly Oid[]): Promise<typeof protectionOf> {
  const links = await Promise.all(trees.map((tree) => symlinksIn(repository, tree)));
  const behind = links.flatMap((one) =>
    [...one].flatMap(([path, places]) => {
      const protection = protectionOf(path);
      return protection === undefined ? [] : places.map((target) => ({ target, protection }));
    }),
  );
  return (path) =>
    protectionOf(path) ?? behind.find(({ target }) => path === target || path.startsWith(`${target}/`) || target === ".")?.protection;
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

/**
 * Returns what a merge brings that only a person may let in: protected changes and secrets. Undefined if there is nothing,
 * if a person merges by hand and lets it in, or if the user's state folder knows that a person decided these very files.
 */
export async function unseenWork(
  { repository, run, secrets = [] }: Pick<TrainContext, "repository" | "run" | "secrets">,
  { task, commit, decided, letsIn }: Pick<Candidate, "task" | "commit" | "decided" | "letsIn">,
  { from, tree }: { from: { commit: Oid; tree: Oid }; tree: Oid },
): Promise<{ paths: readonly string[]; reason: string; anew?: true } | undefined> {
  if (letsIn === true) return undefined;
  const seen = decided !== undefined && wasDecided(repository.layout, { run, task, commit: decided.commit }) ? decided.commit : undefined;
  if (seen !== commit) {
    const known = [from.commit, ...(seen === undefined ? [] : [seen])];
    const found = await secretsInWork(repository, { tip: commit, known, values: secrets });
    if (found.length > 0)
      return { paths: [], reason: `it holds secrets: ${found.slice(0, NAMED).join(", ")}. Only a person lets that in`, anew: true };
  }
  const changes = from.tree === tree ? [] : await protectedChanges(repository, from.tree, tree);
  const others =
    seen === undefined || changes.length === 0 ? undefined : await treeDifferences(repository, await treeOf(repository, seen), tree);
  const open = others === undefined ? changes : changes.filter(({ path }) => others.some((one) => one.path === path));
  if (open.length === 0) return undefined;
  const whats = [...new Set(open.map(({ what }) => what))].join(", ");
  const paths = open.map(({ path }) => path);
  return { paths, reason: `it changes ${whats}: ${paths.slice(0, NAMED).join(", ")}. Only a person lets that in` };
}

/** So many are named. */
const NAMED = 20;
