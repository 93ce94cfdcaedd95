import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { GraftworkError, type LandedTask, shellWord } from "../domain/index.ts";
import {
  checkoutOf,
  dangerousConfig,
  fastForward,
  headOf,
  isAncestor,
  landFiles,
  mergeCommits,
  moveByGit,
  moveCheckoutBack,
  movedFrom,
  type Oid,
  PUT_BACK,
  readRef,
  readRefs,
  restoreCheckout,
  settleLandings,
  updateRefs,
} from "../git/index.ts";
import type { MergeContext } from "./context.ts";
import { rememberResolutions } from "./resolution-memory.ts";

export type Landing = {
  /** Where the target must be now: the commit that `to` was verified against. */
  from: Oid;
  to: Oid;
  tasks: readonly LandedTask[];
};

export type LandResult =
  | { kind: "landed" }
  /** The target is somewhere else by now: build and verify again. */
  | { kind: "moved"; at: Oid | undefined }
  | { kind: "waits"; reason: string; command: string | null };

export const mergedRef = (run: string): string => `refs/graftwork/merged/${run}`;
export const backupPrefix = (run: string): string => `refs/graftwork/backup/${run}/`;

/**
 * Moves the target from `from` to `to`, which was verified. Where the target is checked out, that
 * checkout is brought along, file by file, and nothing of a person's is written over: where it is in the way, the target stays, `to` waits under
 * `refs/graftwork/merged/<run>`, and the result names the command that takes it (spec: merge M4).
 */
export async function land(context: MergeContext, landing: Landing): Promise<LandResult> {
  const { repository, target, run } = context;
  const ref = `refs/heads/${target}`;
  for (let tries = 0; tries < 5; tries++) {
    const at = await readRef(repository, ref);
    if (at === landing.to) return landed(context, landing);
    if (at !== landing.from) return { kind: "moved", at };
    const [place] = await Promise.all([placeOf(context), keep(context, landing)]);
    if (place !== undefined && "gone" in place) return waits(context, landing, null, place.gone);
    if (place === undefined) {
      context.emit({ type: "landing", target, ...landing, checkout: null });
      const refused = await updateRefs(repository, [...context.fence, { ref, set: landing.to, old: landing.from }], `land ${run}`);
      if (refused !== undefined) continue;
      // Somebody may have checked it out between the look and the move: then the checkout would show the reverse.
      if ((await checkoutOf(repository, target)) === undefined) return landed(context, landing);
      await updateRefs(repository, [...context.fence, { ref, set: landing.from, old: landing.to }], `${PUT_BACK}: checked out meanwhile`);
      continue;
    }
    if (place.busy !== null) return waits(context, landing, null, place.busy);
    const result = await landInCheckout(context, landing, place.worktree.path);
    if (result !== "look again") return result;
  }
  return { kind: "moved", at: await readRef(repository, ref) };
}

/** The target's checkout; `gone` says why one that git knows cannot be looked at. */
async function placeOf({ repository, target }: MergeContext): Promise<Awaited<ReturnType<typeof checkoutOf>> | { gone: string }> {
  try {
    return await checkoutOf(repository, target);
  } catch (error) {
    if (!(error instanceof GraftworkError) || error.code !== "CHECKOUT_WAITS") throw error;
    return { gone: `${error.because.replace(/\.$/, "")}: ${error.try}` };
  }
}

async function landInCheckout(context: MergeContext, landing: Landing, worktree: string): Promise<LandResult | "look again"> {
  const { repository, target } = context;
  const ref = `refs/heads/${target}`;
  const [config, fenced, head] = await Promise.all([
    dangerousConfig(repository),
    updateRefs(repository, [...context.fence, { ref, verify: landing.from }], `land ${context.run}`),
    headOf(repository, worktree),
  ]);
  if (config !== context.trustedConfig) {
    return waits(
      context,
      landing,
      worktree,
      "configuration that can run programs or move the checkout was changed in .git/config since the run began",
    );
  }
  if (fenced !== undefined) return { kind: "moved", at: await readRef(repository, ref) };
  if (head.ref !== ref || head.commit !== landing.from) return "look again";
  context.emit({ type: "landing", target, ...landing, checkout: worktree, byFile: true });
  const end = await patiently(
    () => landFiles(repository, { checkout: worktree, ref, ...landing, fence: context.fence, reason: `land ${context.run}` }),
    ({ kind }) => kind === "locked",
  );
  if (end.kind === "by-git") return landByGit(context, landing, worktree);
  if (end.kind === "locked") return waits(context, landing, null, "another git is at work there, or was cut off (index.lock)");
  if (end.kind === "refused") return waits(context, landing, worktree, end.reason);
  if (end.kind === "elsewhere") return "look again";
  for (const path of end.late) context.narrate(`${path} was written to by a program that had it open: what it wrote is in ${end.aside}`);
  return landed(context, landing);
}

/** What cannot be landed file by file: git checks all paths, then writes all, and overwrites what is saved in between. */
async function landByGit(context: MergeContext, landing: Landing, worktree: string): Promise<LandResult | "look again"> {
  const { repository, target } = context;
  const ref = `refs/heads/${target}`;
  context.emit({ type: "landing", target, ...landing, checkout: worktree });
  const refused = await patiently(
    () => moveByGit(repository, { checkout: worktree, ref, ...landing }, (mark) => fastForward(repository, worktree, landing.to, mark)),
    (said) => said?.includes("index.lock") === true,
  );
  if (refused !== undefined) return waits(context, landing, worktree, refused);
  const [after, before] = await Promise.all([headOf(repository, worktree), movedFrom(repository, worktree)]);
  if (after.ref === ref && before === landing.from && (await readRef(repository, ref)) === landing.to) return landed(context, landing);
  return putBack(context, landing, worktree, after, before);
}

/**
 * At that very moment the user switched branches, detached HEAD or took the target back a commit: what git moved
 * instead goes back to where the user had it (review-core rule 3).
 */
async function putBack(
  context: MergeContext,
  landing: Landing,
  worktree: string,
  after: { ref: string | null; commit: Oid | null },
  before: Oid | null,
): Promise<LandResult | "look again"> {
  if (after.commit !== landing.to || before === null || before === landing.to) return "look again";
  const refused = await moveCheckoutBack(context.repository, { worktree, ref: after.ref, from: landing.to, to: before }, PUT_BACK);
  if (refused === undefined) return "look again";
  const what = `${after.ref ?? "a detached HEAD"} moved to the merged commit, since its checkout was switched at that moment, and could not be put back to ${before.slice(0, 12)}`;
  return waits(context, landing, worktree, `${what}: ${refused}`);
}

/** An editor may hold `index.lock` for a moment. */
async function patiently<Result>(attempt: () => Promise<Result>, isLocked: (result: Result) => boolean): Promise<Result> {
  const deadline = performance.now() + 5_000;
  for (;;) {
    const result = await attempt();
    if (!isLocked(result) || performance.now() > deadline) return result;
    await delay(200);
  }
}

/** Pins what is merged and where the target was, so that both outlive any clean-up and can be undone. */
async function keep(context: MergeContext, landing: Landing): Promise<void> {
  const { repository, run } = context;
  const prefix = backupPrefix(run);
  const taken = await readRefs(repository, prefix);
  const known = [...taken].find(([ref, oid]) => ref.endsWith("/after") && oid === landing.to);
  const numbers = [...taken.keys()].map((ref) => Number(ref.slice(prefix.length).split("/")[0])).filter(Number.isInteger);
  const n = 1 + Math.max(0, ...numbers);
  const backups =
    known === undefined
      ? [
          { ref: `${prefix}${n}/before`, set: landing.from },
          { ref: `${prefix}${n}/after`, set: landing.to },
        ]
      : [];
  await updateRefs(repository, [...context.fence, { ref: mergedRef(run), set: landing.to }, ...backups], `keep ${run}`);
}

/** Says that a landing is done, and remembers how people resolved what collided in it. */
export async function landed(context: Pick<MergeContext, "repository" | "emit">, landing: Landing): Promise<LandResult> {
  context.emit({ type: "landed", ...landing });
  const tips = landing.tasks.map(({ branchTip }) => branchTip);
  // Most branches hold no merge commit. One git process checks all of them.
  const merges = await mergeCommits(context.repository, landing.from, tips);
  for (const tip of merges.length === 0 ? [] : tips) await rememberResolutions(context.repository, landing.from, tip, landing.to);
  return { kind: "landed" };
}

/** `worktree`: where the command takes the landing; null if no command can, before something else has ended there. */
function waits(context: MergeContext, landing: Landing, worktree: string | null, reason: string): LandResult {
  // An ignored file in the way is a person's too, and git would overwrite it. The commit is named by its id: another
  // merge by hand that has to wait moves the ref.
  const command = worktree === null ? null : `git -C ${shellWord(worktree)} merge --ff-only --no-overwrite-ignore ${landing.to}`;
  context.emit({ type: "landing-waits", ...landing, reason, command });
  return { kind: "waits", reason, command };
}

/**
 * Looks again at a landing that was begun and never said to be done. A git that outlived its coordinator is waited
 * for; what a killed one left half written is put back. Returns the paths that hold a person's own content.
 */
export async function recoverLanding(
  context: MergeContext,
  begun: Landing & { checkout: string | null; byFile?: true },
): Promise<{ landed: boolean; foreign: readonly string[] }> {
  const { repository, target } = context;
  await settleLandings(repository, ({ checkout, from, to }) => checkout === begun.checkout && from === begun.from && to === begun.to);
  const at = await readRef(repository, `refs/heads/${target}`);
  if (at !== undefined && (await isAncestor(repository, begun.to, at))) {
    await landed(context, { from: begun.from, to: begun.to, tasks: begun.tasks });
    return { landed: true, foreign: [] };
  }
  if (begun.byFile === true || at !== begun.from || begun.checkout === null) return { landed: false, foreign: [] };
  // A checkout that was removed, or is on something else by now, holds nothing of the landing that is ours to put back.
  const head = existsSync(begun.checkout) ? await headOf(repository, begun.checkout) : undefined;
  if (head?.ref !== `refs/heads/${target}` || head.commit !== begun.from) return { landed: false, foreign: [] };
  return { landed: false, foreign: await restoreCheckout(repository, begun.checkout, begun.from, begun.to) };
}
