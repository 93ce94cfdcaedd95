import { type Oid, type Repository, readBlob, type Side, type TreeDifference, treeDifferences, treeOf } from "../git/index.ts";
import { wasDecided } from "../trust/index.ts";
import type { Candidate, TrainContext } from "./candidate.ts";
import { protectionOf } from "./protected-paths.ts";

/** A path whose change only a person lets in, and what it decides. */
export type ProtectedChange = { path: string; what: string; to: Side | null };

/** Which protected paths become another between two trees, or two commits. */
export async function protectedChanges(repository: Repository, from: Oid, to: Oid): Promise<ProtectedChange[]> {
  const found: ProtectedChange[] = [];
  for (const difference of await treeDifferences(repository, from, to)) {
    const { path } = difference;
    const protection = protectionOf(path);
    if (protection === undefined) continue;
    const { what, part } = protection;
    if (part !== undefined && (await isSamePart(repository, difference, part))) continue;
    found.push({ path, what, to: difference.to });
  }
  return found;
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
 * Those protected changes of a merge that no person has seen: neither decided with these very files, as the user's state
 * folder knows, nor let in by hand.
 */
export async function unseenChanges(
  { repository, run }: Pick<TrainContext, "repository" | "run">,
  { task, decided, letsIn }: Pick<Candidate, "task" | "decided" | "letsIn">,
  { from, tree }: { from: Oid; tree: Oid },
): Promise<ProtectedChange[]> {
  const changes = letsIn === true || from === tree ? [] : await protectedChanges(repository, from, tree);
  if (changes.length === 0 || decided === undefined) return changes;
  if (!wasDecided(repository.layout, { run, task, commit: decided.commit })) return changes;
  const others = await treeDifferences(repository, await treeOf(repository, decided.commit), tree);
  const differs = new Set(others.map(({ path }) => path));
  return changes.filter(({ path }) => differs.has(path));
}

/** What a person is told of protected changes, in one line. */
export function protectedText(changes: readonly ProtectedChange[]): string {
  const whats = [...new Set(changes.map(({ what }) => what))].join(", ");
  return `it changes ${whats}: ${changes.map(({ path }) => path).join(", ")}`;
}
