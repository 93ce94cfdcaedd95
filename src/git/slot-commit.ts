import { existsSync } from "node:fs";
import { join } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { removeFile, rmSync } from "../state/index.ts";
import { commitTree, type Person, treeOf } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import { resolveCommit, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { type GitCall, runGit, splitPaths } from "./run-git.ts";
import { lstatBelow } from "./slot-path.ts";
import { adminDirOf, type SlotTree, slotFiles, slotHead } from "./slot-tree.ts";
import { emptyTree } from "./tree-differences.ts";

/** What `git status` would show in a worktree, ignored files apart. */
export type SlotStatus = {
  /** Tracked paths with changes, staged or not. */
  tracked: readonly string[];
  /** Those of `tracked` whose entry in the index is not that of HEAD. */
  staged: readonly string[];
  untracked: readonly string[];
  /** True while a merge, rebase or the like has unmerged paths. */
  unmerged: boolean;
};

type Files = Pick<GitCall, "cwd" | "gitDir" | "workTree" | "env"> & { indexFile: string };

/** A slot's files with the slot's own index; filters are those that were pinned. */
function filesOf(repository: Repository, slot: SlotTree): Files {
  return { ...slotFiles(repository, slot), indexFile: join(adminDirOf(repository, slot), "index") };
}

/** Reads the status of a slot. `head`: the commit that the slot's HEAD is on, if the caller knows it. */
export async function slotStatus(repository: Repository, slot: SlotTree, head?: Oid): Promise<SlotStatus> {
  const commit = head ?? (await slotHead(repository, slot)).commit;
  return statusOf(repository, filesOf(repository, slot), commit);
}

/** Unsaved paths of the user's checkout: changed, staged or untracked; ignored ones apart. */
export async function checkoutChanges(repository: Repository): Promise<string[]> {
  const head = await resolveCommit(repository, "HEAD");
  const files = { ...ownGit(repository, "pinned"), cwd: repository.root, workTree: repository.root };
  const status = await statusOf(repository, { ...files, indexFile: join(repository.commonDir, "index") }, head ?? null);
  return [...status.tracked, ...status.untracked];
}

const LISTING = ["ls-files", "-z", "-t", "--modified", "--deleted", "--unmerged", "--others", "--exclude-standard"] as const;

/** `git status` itself would run the filters that the repository's configuration has now. */
async function statusOf(repository: Repository, files: Files, head: Oid | null): Promise<SlotStatus> {
  const excludes = join(repository.commonDir, "info", "exclude");
  const [listing, staged] = await Promise.all([
    runGit(repository, {
      ...files,
      args: [...LISTING, ...(existsSync(excludes) ? [`--exclude-from=${excludes}`] : [])],
    }),
    runGit(repository, {
      ...files,
      args: ["diff-index", "--cached", "--name-only", "-z", "--no-renames", "--ignore-submodules=all", head ?? emptyTree(repository)],
    }),
  ]);
  // With `--unmerged`, tracked paths come after their mode, id and stage, and a tab.
  const entries = splitPaths(listing).map((line) => {
    const tag = line.slice(0, 1);
    return { tag, path: line.slice(tag === "?" ? 2 : line.indexOf("\t") + 1) };
  });
  const of = (...tags: string[]): string[] => entries.filter(({ tag }) => tags.includes(tag)).map(({ path }) => path);
  const unmerged = of("M");
  const inIndex = splitPaths(staged);
  const tracked = new Set([...of("C", "R"), ...inIndex]);
  return {
    tracked: [...tracked].filter((path) => !unmerged.includes(path)).sort(),
    staged: inIndex,
    untracked: of("?"),
    unmerged: unmerged.length > 0,
  };
}

/** Commits these paths of a slot on the branch it is on, with the project's own filters and no hook. */
export async function commitInSlot(
  repository: Repository,
  slot: SlotTree,
  commit: { paths: readonly string[]; message: string; person: Person },
): Promise<void> {
  const files = filesOf(repository, slot);
  // What is gone is taken out by name: `add` refuses to look below a link that took a folder's place.
  const there = new Set(commit.paths.filter((path) => lstatBelow(slot.path, path) !== undefined));
  const list = (paths: readonly string[]): string | Buffer => pathBytes(paths.map((path) => `${path}\0`).join(""));
  const gone = list(commit.paths.filter((path) => !there.has(path)));
  if (gone.length > 0) await runGit(repository, { ...files, args: ["update-index", "--force-remove", "-z", "--stdin"], stdin: gone });
  if (there.size > 0) {
    await runGit(repository, {
      ...files,
      args: ["--literal-pathspecs", "add", "--all", "--force", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul"],
      stdin: list([...there]),
    });
  }
  const tree = (await runGit(repository, { ...files, args: ["write-tree"] })).text.trim();
  const head = await slotHead(repository, slot);
  // Nothing may be left to commit: a file was staged and deleted.
  if (head.branch === null || head.commit === null || tree === (await treeOf(repository, head.commit))) return;
  const made = await commitTree(repository, { tree, parents: [head.commit], message: commit.message, person: commit.person });
  const refused = await updateRefs(repository, [{ ref: `refs/heads/${head.branch}`, set: made, old: head.commit }], "commit what was left");
  if (refused !== undefined) throw new GraftworkError("FENCED", moved(head.branch, refused));
}

function moved(branch: string, refused: string): ConstructorParameters<typeof GraftworkError>[1] {
  return {
    message: `Branch ${branch} moved while its slot's files were committed.`,
    because: refused,
    try: "nothing: the files are where they were, and the next look commits or rescues them.",
  };
}

/** Locks that a killed git left on the slot and on its branch: what worked there has been ended, so they are nobody's. */
export function dropLocks(repository: Repository, slot: SlotTree, branch: string | null = null): void {
  if (branch !== null) removeFile(join(repository.commonDir, "refs", "heads", `${branch}.lock`));
  for (const name of ["index.lock", "HEAD.lock"]) rmSync(join(adminDirOf(repository, slot), name), { force: true });
}

/** Moves a branch from `from` to `to`, a commit that an agent made beside it. Returns git's sentence if it refused. */
export function adoptCommit(repository: Repository, branch: string, from: Oid, to: Oid): Promise<string | undefined> {
  return updateRefs(repository, [{ ref: `refs/heads/${branch}`, set: to, old: from }], "adopt a commit made beside the branch");
}
