import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { readBytes, rmdirSync, rmSync } from "../state/index.ts";
import { readBlob } from "./commit-objects.ts";
import { below } from "./git-path.ts";
import { headOf } from "./land-checkout.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { foldersOf } from "./path-text.ts";
import { updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";
import { blobId, storedIds, type TreeDifference, treeDifferences } from "./tree-differences.ts";

/**
 * After a landing by git (`fastForward`) was killed half way, of which no file is kept aside: every path between `from` and `to` that is absent, or holds the old or the
 * new content or the beginning of the new, is put back to `from` (review-core rule 2). Returns the paths that hold
 * anything else: then they are a person's, and nothing was changed.
 */
export async function restoreCheckout(repository: Repository, worktree: string, from: Oid, to: Oid): Promise<string[]> {
  const changes = await treeDifferences(repository, from, to);
  // A folder in a file's place is the landing's own where the landing writes below it: those files are looked at themselves.
  const folders = new Set(changes.flatMap(({ path, to: side }) => (side === null ? [] : foldersOf(path))));
  const hashes = await hashesOf(repository, worktree, changes);
  const states: { change: TreeDifference; state: "old" | "new" | "foreign" }[] = [];
  // One after another: each that is neither starts a git.
  for (const change of changes)
    states.push({ change, state: await stateOf(repository, worktree, change, hashes.get(change.path), folders) });
  const foreign = states.filter(({ state }) => state === "foreign").map(({ change }) => change.path);
  if (foreign.length > 0) return foreign;
  const gitDir = (await runGit(repository, { cwd: worktree, args: ["rev-parse", "--absolute-git-dir"] })).text.trim();
  if (existsSync(join(gitDir, "index.lock"))) rmSync(join(gitDir, "index.lock"));
  const files = { ...checkoutFiles(repository, worktree), indexFile: join(gitDir, "index") };
  const back = states.filter(({ state }) => state !== "old");
  // Longest first, so that a folder the landing made is empty when its turn comes; one that is not stays.
  for (const { change } of back.toSorted((a, b) => b.change.path.length - a.change.path.length)) {
    if (change.from === null) rmSync(below(worktree, change.path), { force: true });
    else if (lstatBelow(worktree, change.path)?.isDirectory() === true) removeEmptyFolders(below(worktree, change.path));
  }
  const paths = back.filter(({ change }) => change.from !== null).map(({ change }) => change.path);
  if (paths.length > 0) {
    await runGit(repository, {
      ...files,
      args: ["checkout-index", "--force", "--quiet", "-z", "--stdin"],
      stdin: paths.map((path) => `${path}\0`).join(""),
    });
  }
  await runGit(repository, { ...files, args: ["update-index", "-q", "--refresh"], answers: [0, 1] });
  return [];
}

/** The same for a checkout that is still on `ref` at `from`. Throws CHECKOUT_WAITS where a person's content is in the way. */
export async function restoreHalfLanded(
  repository: Repository,
  { checkout, ref, from, to }: { checkout: string; ref: string; from: Oid; to: Oid },
): Promise<void> {
  const head = await headOf(repository, checkout);
  if (head.ref !== ref || head.commit !== from) return;
  const foreign = await restoreCheckout(repository, checkout, from, to);
  if (foreign.length > 0) throw halfLanded(checkout, foreign);
}

export function halfLanded(checkout: string, paths: readonly string[]): GraftworkError {
  return new GraftworkError("CHECKOUT_WAITS", {
    message: `A landing was cut off in ${checkout}, and ${paths.length === 1 ? "a file was" : "files were"} changed there since.`,
    because: `these hold content that is neither the old nor the new one: ${paths.slice(0, 10).join(", ")}.`,
    try: "save what you need of them elsewhere, `git checkout -- PATH` each, then the same command again (in a run: `graftwork continue`).",
    details: { checkout, paths },
  });
}

/** Git writes no file where a folder is; a folder that holds anything is left, and git says so. */
function removeEmptyFolders(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeEmptyFolders(join(path, entry.name));
  if (readdirSync(path).length === 0) rmdirSync(path);
}

/** What git would store for each file that is there: one git for all of them, since a landing may write thousands. */
function hashesOf(repository: Repository, worktree: string, changes: readonly TreeDifference[]): Promise<Map<string, Oid>> {
  const files = changes.map(({ path }) => path).filter((path) => lstatBelow(worktree, path)?.isFile() === true);
  return storedIds(repository, checkoutFiles(repository, worktree), files);
}

/** The checkout's files, written and hashed with the settings that were pinned when no task was at work. */
function checkoutFiles(repository: Repository, worktree: string): Pick<GitCall, "cwd" | "gitDir" | "workTree" | "env"> {
  return { ...ownGit(repository, "pinned"), cwd: worktree, workTree: worktree };
}

async function stateOf(
  repository: Repository,
  worktree: string,
  change: TreeDifference,
  hash: Oid | undefined,
  folders: ReadonlySet<string>,
): Promise<"old" | "new" | "foreign"> {
  const full = below(worktree, change.path);
  const stat = lstatBelow(worktree, change.path);
  if (stat === undefined) return change.from === null ? "old" : "new";
  if (stat.isDirectory()) return folders.has(change.path) ? "new" : "foreign";
  const oid = stat.isSymbolicLink() ? blobId(repository, readlinkSync(full)) : hash;
  if (change.from !== null && oid === change.from.oid) return "old";
  if (change.to === null) return "foreign";
  if (oid === change.to.oid) return "new";
  if (!stat.isFile()) return "foreign";
  const bytes = readBytes(full);
  if (bytes === undefined) return "foreign";
  const target = await readBlob(repository, change.to.oid);
  return target.subarray(0, bytes.length).equals(bytes) ? "new" : "foreign";
}

/** HEAD of a checkout, and the branch it is on (`ref`; null: detached), that go from `from` to `to`. */
export type CheckoutMove = { worktree: string; ref: string | null; from: Oid; to: Oid };

/**
 * Puts HEAD of a checkout, its branch and its files back. `reason` goes into the reflog; `mark` into git's environment.
 * Returns git's sentence, with nothing moved, if a file that it would write holds unsaved work.
 */
export async function moveCheckoutBack(
  repository: Repository,
  { worktree, ref, from, to }: CheckoutMove,
  reason: string,
  mark: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const readTree = async (a: Oid, b: Oid, ...flags: string[]): Promise<string | undefined> => {
    const answer = await runGit(repository, {
      cwd: worktree,
      env: mark,
      args: ["read-tree", ...flags, "-m", "-u", a, b],
      answers: [0, 128],
    });
    return answer.code === 0 ? undefined : answer.stderr.trim();
  };
  const inTheWay = (await readTree(from, to, "-n")) ?? (await readTree(from, to));
  if (inTheWay !== undefined) return inTheWay;
  const refused =
    ref === null ? await moveHead(repository, worktree, from, to) : await updateRefs(repository, [{ ref, set: to, old: from }], reason);
  if (refused !== undefined) await readTree(to, from);
  return refused;
}

async function moveHead(repository: Repository, worktree: string, from: Oid, to: Oid): Promise<string | undefined> {
  const args = ["update-ref", "--no-deref", "-m", "graftwork: undo", "HEAD", to, from];
  const answer = await runGit(repository, { cwd: worktree, args, answers: [0, 1, 128] });
  return answer.code === 0 ? undefined : answer.stderr.trim();
}
