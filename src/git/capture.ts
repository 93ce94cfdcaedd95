import { commitTree, isWhole, type Person } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import { updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit, splitPaths } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";
import type { SlotTree } from "./slot-tree.ts";
import { emptyTree, unsafePathIn } from "./tree-differences.ts";
import { withWorkIndex } from "./work-index.ts";

export type Capture = {
  slot: SlotTree;
  /** The commit whose tree the saved one is, but for `paths`; null: what the saved index holds. */
  head: Oid | null;
  /** Paths to take as they are in the folder: changed, deleted and new ones. */
  paths: readonly string[];
  /** Commits that the capture must keep alive besides its files. */
  parents: readonly Oid[];
  message: string;
  person: Person;
  /** Full name of the ref that keeps it; must not exist yet. */
  ref: string;
};

/**
 * Saves bytes as they are, through no filter, as one commit under `ref`. Order matters: objects, ref, then the
 * proof that all of it is there, since a garbage collection may run at any moment before the ref exists.
 * Returns undefined where the ref was taken or the proof failed: try again, with another name.
 */
export async function captureWork(repository: Repository, capture: Capture): Promise<{ commit: Oid; tree: Oid } | undefined> {
  // git reads no tree with a path such as `../x`, so nobody has worked on it: what was checked out before counts.
  const isSound = capture.head === null || (await unsafePathIn(repository, emptyTree(repository), capture.head)) === undefined;
  const tree = await workTree(repository, capture.slot, capture.paths, isSound ? capture.head : null);
  const commit = await commitTree(repository, { tree, parents: capture.parents, message: capture.message, person: capture.person });
  const refused = await updateRefs(repository, [{ ref: capture.ref, set: commit, old: null }], "rescue");
  if (refused !== undefined) return undefined;
  if (await isWhole(repository, commit, capture.parents)) return { commit, tree };
  // A ref to what is not all there would break every later clean-up of the user's.
  await updateRefs(repository, [{ ref: capture.ref, remove: true, old: commit }], "rescue: not whole");
  return undefined;
}

/** The tree of `from` (null: of our saved index) with `paths` as they are in the slot's folder. */
export function workTree(repository: Repository, slot: SlotTree, paths: readonly string[], from: Oid | null = null): Promise<Oid> {
  const there = new Set(paths.filter((path) => lstatBelow(slot.path, path) !== undefined));
  return withWorkIndex(repository, from === null ? slot.id : null, async (indexFile, own) => {
    const call = { ...own, cwd: slot.path, workTree: slot.path, indexFile };
    if (from !== null) await runGit(repository, { ...own, cwd: repository.commonDir, indexFile, args: ["read-tree", from] });
    const update = async (flags: readonly string[], chosen: readonly string[]): Promise<void> => {
      if (chosen.length === 0) return;
      await runGit(repository, {
        ...call,
        args: ["-c", "core.fsync=committed,loose-object", "-c", "core.fsyncMethod=batch", "update-index", ...flags, "-z", "--stdin"],
        stdin: pathBytes(chosen.map((path) => `${path}\0`).join("")),
      });
    };
    // What is gone is taken out without a look: git refuses to look below a link that took a folder's place.
    const gone = paths.filter((path) => !there.has(path));
    await update(["--force-remove"], gone);
    await update(["--add", "--remove", "--replace"], [...there]);
    return (await runGit(repository, { ...own, cwd: repository.commonDir, indexFile, args: ["write-tree"] })).text.trim();
  });
}

/**
 * Writes the files of a rescue commit into a folder as they were in the slot: what was `saved` byte for byte, the rest
 * (what is in a commit) as a checkout would, with the filters that were pinned.
 */
export function writeCapture(repository: Repository, commit: Oid, into: string, saved: readonly string[]): Promise<void> {
  return withWorkIndex(repository, null, async (indexFile, own) => {
    const call = { cwd: into, workTree: into, indexFile };
    await runGit(repository, { ...own, ...call, args: ["read-tree", commit] });
    const all = splitPaths(await runGit(repository, { ...own, ...call, args: ["ls-files", "-z"] }));
    const raw = new Set(saved);
    const write = (git: Pick<GitCall, "gitDir" | "env">, paths: readonly string[], answers: readonly number[]) =>
      runGit(repository, {
        ...git,
        ...call,
        args: ["checkout-index", "--quiet", "-z", "--stdin"],
        stdin: pathBytes(paths.map((path) => `${path}\0`).join("")),
        answers,
      });
    const rest = all.filter((path) => !raw.has(path));
    const { gitDir, env } = ownGit(repository, "pinned");
    // Where a filter fails now, what git stores is better than nothing.
    const { code } = await write({ ...(gitDir === undefined ? {} : { gitDir }), ...(env === undefined ? {} : { env }) }, rest, [0, 1, 128]);
    if (code !== 0) await write(own, rest, [0, 1]);
    await write(
      own,
      all.filter((path) => raw.has(path)),
      [0],
    );
  });
}
