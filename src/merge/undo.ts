import { GraftworkError, type RunEvent } from "../domain/index.ts";
import {
  checkoutOf,
  type FilesLanded,
  headOf,
  landFiles,
  moveByGit,
  moveCheckoutBack,
  type Oid,
  type RefChange,
  type Repository,
  readRef,
  settleDeadLandings,
  updateRefs,
} from "../git/index.ts";
import { targetGone } from "./target-gone.ts";

export type Undo = {
  repository: Repository;
  target: string;
  /** The target's commit after the run's last landing, and before its first. */
  after: Oid;
  before: Oid;
  /** Branches that the run deleted: made again at their commits. */
  branches: readonly { branch: string; commit: Oid }[];
  fence: readonly RefChange[];
  emit: (event: RunEvent) => void;
};

/** `taken`: names that somebody else has by now; the commits are in the run's backup all the same. */
export type UndoneBranches = { taken: readonly { branch: string; commit: Oid }[] };

/**
 * Puts the target back where it was before a run, and the run's deleted branches with it. Throws UNDO_REFUSED where
 * somebody has built on it, or unsaved work in its checkout is in the way; then nothing has changed.
 */
export async function undoLandings(undo: Undo): Promise<UndoneBranches> {
  const { repository, target, after, before } = undo;
  const ref = `refs/heads/${target}`;
  await settleDeadLandings(repository, ref);
  const at = await readRef(repository, ref);
  // Where it is back already, an undo was cut off after that: the rest of it is done.
  if (at === after) await moveBack(undo, ref);
  else if (at === undefined) throw targetGone(target, after, "run the same command again");
  else if (at !== before)
    throw refused(target, `it is at ${at.slice(0, 12)}, not at ${after.slice(0, 12)} where the run left it: somebody has built on it.`);
  undo.emit({ type: "undone", from: after, to: before });
  const taken: { branch: string; commit: Oid }[] = [];
  for (const one of undo.branches) {
    const name = `refs/heads/${one.branch}`;
    const why = await updateRefs(repository, [{ ref: name, set: one.commit, old: null }], "undo");
    if (why !== undefined && (await readRef(repository, name)) !== one.commit) taken.push(one);
  }
  return { taken };
}

async function moveBack({ repository, target, after, before, fence }: Undo, ref: string): Promise<void> {
  const place = await checkoutOf(repository, target);
  if (place === undefined) {
    const why = await updateRefs(repository, [...fence, { ref, set: before, old: after }], "undo");
    if (why !== undefined) throw refused(target, why);
    return;
  }
  if (place.busy !== null) throw refused(target, place.busy);
  const head = await headOf(repository, place.worktree.path);
  if (head.ref !== ref || head.commit !== after) throw refused(target, "its checkout was switched a moment ago.");
  const checkout = place.worktree.path;
  const end = await landFiles(repository, { checkout, ref, from: after, to: before, fence, reason: "undo" });
  const about = { checkout, ref, from: after, to: before };
  const back = (mark: Readonly<Record<string, string>>): Promise<string | undefined> =>
    moveCheckoutBack(repository, { worktree: checkout, ref, from: after, to: before }, "undo", mark);
  const why = end.kind === "by-git" ? await moveByGit(repository, about, back) : whyNot(end);
  if (why !== undefined) throw refused(target, why);
}

function whyNot(end: Exclude<FilesLanded, { kind: "by-git" }>): string | undefined {
  if (end.kind === "locked") return "another git is at work in its checkout (index.lock).";
  if (end.kind === "elsewhere") return "it, or its checkout, was moved a moment ago.";
  return end.kind === "refused" ? `its checkout has ${end.reason}.` : undefined;
}

function refused(target: string, because: string): GraftworkError {
  return new GraftworkError("UNDO_REFUSED", {
    message: `${target} was not put back.`,
    because,
    try: "`git revert` the merge commits instead; `git log --merges --grep Graftwork-Run` lists them.",
  });
}
