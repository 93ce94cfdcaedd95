import { type CommitRange, differencesOfAll, mergeBases, mergePairs, type Oid, type PairMerge, type Repository } from "../git/index.ts";
import { keepKnownMerges, pairKey, readKnownMerges } from "./known-merges.ts";
import { mayCollide, type Touched, touchedBy } from "./touched-paths.ts";

/** A branch, or what else has a commit, under the name that it is spoken of. */
export type Tip = { name: string; commit: Oid };

export type PredictedConflict = { between: readonly [string, string]; paths: readonly string[] };

export type Prediction = {
  /** What each branch changed since it left the target, by its name. */
  touched: ReadonlyMap<string, Touched>;
  /** Pairs that would conflict: of branches, or a branch with the target (which comes first then). */
  conflicts: readonly PredictedConflict[];
};

const NOTHING: Touched = touchedBy([]);

/** What each branch changed since it left the target. */
export async function touchedSince(repository: Repository, target: Tip, branches: readonly Tip[]): Promise<Map<string, Touched>> {
  const compared = await compareSides(repository, [target, ...branches]);
  const touched = await compared.touched(branches.map((branch) => [target, branch]));
  return new Map(branches.map((branch) => [branch.name, touched(target, branch)]));
}

/**
 * Which pairs of branches would conflict, each branch with the target included. Only pairs whose changes can meet are
 * merged, and each only once (`everyPair`: all are, anew, which gives the same answer and takes longer). Writes objects: call it in a quarantine.
 */
export async function predictConflicts(
  repository: Repository,
  target: Tip,
  branches: readonly Tip[],
  options: { everyPair?: boolean } = {},
): Promise<Prediction> {
  const tips = [target, ...branches];
  const pairs = tips.flatMap((one, index) => tips.slice(index + 1).map((other): Pair => [one, other]));
  const compared = await compareSides(repository, tips);
  const touched = await compared.touched(pairs);
  const suspects = pairs.filter(([a, b]) => {
    if (options.everyPair === true) return true;
    // Where histories cross or share nothing, what each side changed is not to be had from one comparison.
    return compared.bases(a.commit, b.commit).length !== 1 || mayCollide(touched(b, a), touched(a, b));
  });
  const merges = await mergesOf(repository, suspects, options.everyPair === true);
  const conflicts = suspects.flatMap(([a, b], index): PredictedConflict[] => {
    const merge = merges[index];
    if (merge === undefined || merge.clean) return [];
    const shared = [...touched(b, a).paths].filter((path) => touched(a, b).paths.has(path));
    return [{ between: [a.name, b.name], paths: (merge.paths.length > 0 ? merge.paths : shared).toSorted() }];
  });
  return { touched: new Map(branches.map((branch) => [branch.name, touched(target, branch)])), conflicts };
}

type Pair = readonly [Tip, Tip];

/** What comes of merging each pair; what is known from before is not merged again, except where all is asked `anew`. */
async function mergesOf(repository: Repository, pairs: readonly Pair[], anew: boolean): Promise<(PairMerge | undefined)[]> {
  const known = anew ? new Map<string, PairMerge>() : readKnownMerges(repository);
  const keys = pairs.map(([a, b]) => pairKey(repository, a.commit, b.commit));
  const unknown = pairs.filter((_, index) => !known.has(keys[index] ?? ""));
  const merges = await mergePairs(
    repository,
    unknown.map(([a, b]) => [a.commit, b.commit]),
  );
  const found = new Map(
    unknown.flatMap(([a, b], index) => (merges[index] === undefined ? [] : [[pairKey(repository, a.commit, b.commit), merges[index]]])),
  );
  if (!anew && found.size > 0) keepKnownMerges(repository, found, known);
  return keys.map((key) => found.get(key) ?? known.get(key));
}

type Compared = {
  bases: (a: Oid, b: Oid) => readonly Oid[];
  /** Of pairs that were asked about: what the second one changed since it parted from the first. */
  touched: (pairs: readonly Pair[]) => Promise<(from: Tip, of: Tip) => Touched>;
};

/** Sides of merges, each compared with its merge bases; branches that began at one commit are compared once. */
async function compareSides(repository: Repository, tips: readonly Tip[]): Promise<Compared> {
  const bases = await mergeBases(
    repository,
    tips.map((tip) => tip.commit),
  );
  const rangeOf = (from: Tip, of: Tip): CommitRange | undefined => {
    const [base] = bases(from.commit, of.commit);
    return base === undefined || base === of.commit ? undefined : { from: base, to: of.commit };
  };
  return {
    bases,
    touched: async (pairs) => {
      const ranges = new Map<string, CommitRange>();
      for (const range of pairs.flatMap(([a, b]) => [rangeOf(a, b), rangeOf(b, a)]))
        if (range !== undefined) ranges.set(keyOf(range), range);
      const differences = await differencesOfAll(repository, [...ranges.values()]);
      const found = new Map([...ranges.keys()].map((key, index) => [key, touchedBy(differences[index] ?? [])]));
      return (from, of) => {
        const range = rangeOf(from, of);
        return (range === undefined ? undefined : found.get(keyOf(range))) ?? NOTHING;
      };
    },
  };
}

const keyOf = ({ from, to }: CommitRange): string => `${from} ${to}`;
