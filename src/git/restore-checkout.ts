import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readBlob } from "./commit-objects.ts";
import { ownGit } from "./own-git.ts";
import { type Oid, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";

type Change = { path: string; from: { mode: string; oid: Oid } | null; to: { mode: string; oid: Oid } | null };

/**
 * After a landing was killed half way: every path between `from` and `to` that is absent, or holds the old or the
 * new content or the beginning of the new, is put back to `from` (review-core rule 2). Returns the paths that hold
 * anything else: then they are a person's, and nothing was changed.
 */
export async function restoreCheckout(repository: Repository, worktree: string, from: Oid, to: Oid): Promise<string[]> {
  const changes = await changesBetween(repository, from, to);
  const states = await Promise.all(changes.map(async (change) => ({ change, state: await stateOf(repository, worktree, change) })));
  const foreign = states.filter(({ state }) => state === "foreign").map(({ change }) => change.path);
  if (foreign.length > 0) return foreign;
  const lock = join((await runGit(repository, { cwd: worktree, args: ["rev-parse", "--absolute-git-dir"] })).text.trim(), "index.lock");
  if (existsSync(lock)) rmSync(lock);
  const back = states.filter(({ state }) => state !== "old");
  for (const { change } of back) if (change.from === null) rmSync(join(worktree, change.path), { force: true });
  const paths = back.filter(({ change }) => change.from !== null).map(({ change }) => change.path);
  if (paths.length > 0) {
    await runGit(repository, {
      cwd: worktree,
      args: ["checkout-index", "--force", "--quiet", "-z", "--stdin"],
      stdin: paths.map((path) => `${path}\0`).join(""),
    });
  }
  await runGit(repository, { cwd: worktree, args: ["update-index", "-q", "--refresh"], answers: [0, 1] });
  return [];
}

async function changesBetween(repository: Repository, from: Oid, to: Oid): Promise<Change[]> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["diff-tree", "-r", "-z", "--no-renames", "--raw", from, to],
  });
  const parts = splitNul(answer.text);
  const changes: Change[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const [fromMode = "", toMode = "", fromOid = "", toOid = ""] = (parts[i] ?? "").slice(1).split(" ");
    const side = (mode: string, oid: Oid): Change["from"] => (/^0+$/.test(oid) ? null : { mode, oid });
    changes.push({ path: parts[i + 1] ?? "", from: side(fromMode, fromOid), to: side(toMode, toOid) });
  }
  return changes;
}

async function stateOf(repository: Repository, worktree: string, change: Change): Promise<"old" | "new" | "foreign"> {
  const full = join(worktree, change.path);
  const stat = lstatSync(full, { throwIfNoEntry: false });
  if (stat === undefined) return change.from === null ? "old" : "new";
  if (stat.isDirectory()) return "foreign";
  const bytes = stat.isSymbolicLink() ? Buffer.from(readlinkSync(full)) : readFileSync(full);
  // `--path` applies the checkout's own line-end rules, as git did when it wrote the file.
  const hashed = await runGit(repository, {
    cwd: worktree,
    args: ["hash-object", ...(stat.isSymbolicLink() ? [] : [`--path=${change.path}`]), "--stdin"],
    stdin: bytes,
  });
  const oid = hashed.text.trim();
  if (change.from !== null && oid === change.from.oid) return "old";
  if (change.to === null) return "foreign";
  if (oid === change.to.oid) return "new";
  const target = await readBlob(repository, change.to.oid);
  return target?.subarray(0, bytes.length).equals(bytes) === true ? "new" : "foreign";
}

/**
 * Puts a checked-out branch back from `to` to `from`, its files with it. Refuses (git's sentence is returned,
 * nothing moved) where a file it would write holds unsaved work.
 */
export async function moveCheckoutBack(
  repository: Repository,
  worktree: string,
  branch: string,
  from: Oid,
  to: Oid,
): Promise<string | undefined> {
  const readTree = (a: Oid, b: Oid, ...flags: string[]): ReturnType<typeof runGit> =>
    runGit(repository, { cwd: worktree, args: ["read-tree", ...flags, "-m", "-u", a, b], answers: [0, 128] });
  const dry = await readTree(from, to, "-n");
  if (dry.code !== 0) return dry.stderr.trim();
  await readTree(from, to);
  const refused = await updateRefs(repository, [{ ref: `refs/heads/${branch}`, set: to, old: from }], "undo");
  if (refused !== undefined) await readTree(to, from);
  return refused;
}
