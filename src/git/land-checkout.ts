import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GraftworkError } from "../domain/index.ts";
import { readText } from "../state/index.ts";
import { findProcesses, sweepProcesses, uptimeMs } from "../subprocess/index.ts";
import type { Oid } from "./oid.ts";
import type { Repository } from "./repository.ts";
import { type GitAnswer, runGit, splitNul } from "./run-git.ts";
import { listWorktrees, type Worktree } from "./worktrees.ts";

/** Keys whose change could run something in the user's checkout or move it (spec: merge M4). */
const DANGEROUS =
  /^(?:filter\..*|include\.path|includeif\..*|core\.(?:attributesfile|worktree|bare|sshcommand|gitproxy|alternaterefscommand)|merge\..*\.driver|diff\..*\.(?:command|textconv)|extensions\..*|remote\..*\.(?:uploadpack|receivepack|vcs))$/;

/**
 * The configuration that could run code or move the checkout, as one comparable text. Read with `--file`, which
 * follows no include and runs nothing.
 */
export async function dangerousConfig(repository: Repository): Promise<string> {
  const files = [join(repository.commonDir, "config"), join(repository.commonDir, "config.worktree")].filter((path) => existsSync(path));
  const answers = await Promise.all(
    files.map((file) => runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", file, "--list", "-z"] })),
  );
  return answers
    .flatMap((answer) => splitNul(answer.text))
    .filter((entry) => DANGEROUS.test(entry.slice(0, entry.search(/\n|$/)).toLowerCase()))
    .sort()
    .join("\n");
}

/** Where a branch is checked out. `busy`: why nobody may move it there. */
type Place = { worktree: Worktree; busy: string | null };

/**
 * The worktree whose HEAD is `branch`, or that is rebasing or bisecting it (then nobody may move it). Nor may anybody
 * where git was made to check it out twice: the other checkout would show the reverse of what the branch got. Throws
 * CHECKOUT_WAITS where the folder is gone, which may be on a disk that comes back.
 */
export async function checkoutOf(repository: Repository, branch: string): Promise<Place | undefined> {
  const places: Place[] = [];
  for (const worktree of await listWorktrees(repository)) places.push(...(await placeIn(repository, worktree, branch)));
  const [first, second] = places;
  if (second === undefined) return first;
  return places.find(({ busy }) => busy !== null) ?? { ...second, busy: `${branch} is checked out in ${first?.worktree.path} as well` };
}

async function placeIn(repository: Repository, worktree: Worktree, branch: string): Promise<Place[]> {
  const ref = `refs/heads/${branch}`;
  const gitDir = await gitDirOf(repository, worktree);
  if (worktree.branch === ref && !existsSync(worktree.path)) throw checkoutGone(worktree.path, branch);
  if (worktree.branch === ref) return [{ worktree, busy: existsSync(join(gitDir, "MERGE_HEAD")) ? "a merge is in progress there" : null }];
  for (const [file, what] of [
    ["rebase-merge/head-name", "a rebase"],
    ["rebase-merge/update-refs", "a rebase"],
    ["rebase-apply/head-name", "a rebase"],
    ["BISECT_START", "a bisect"],
  ] as const) {
    // `rebase --update-refs` names all that it is going to move, with their commits.
    const named = readText(join(gitDir, file))?.trim().split("\n") ?? [];
    if (named.includes(ref) || named[0] === branch) return [{ worktree, busy: `${what} of ${branch} is in progress there` }];
  }
  return [];
}

function checkoutGone(path: string, branch: string): GraftworkError {
  return new GraftworkError("CHECKOUT_WAITS", {
    message: `${branch} is checked out in ${path}, and that folder is gone.`,
    because: "should it come back, it would show the reverse of what the branch got meanwhile.",
    try: "`git worktree prune` where it was deleted, `git worktree repair PATH` where it was moved; then the same command again (in a run: `graftwork continue`).",
    details: { path },
  });
}

/** The git directory of one worktree: its HEAD and index are there. */
export async function gitDirOf(repository: Repository, worktree: Pick<Worktree, "path">): Promise<string> {
  if (worktree.path === repository.root) return repository.commonDir;
  const answer = await runGit(repository, { cwd: worktree.path, args: ["rev-parse", "--absolute-git-dir"], answers: [0, 128] }).catch(
    () => undefined,
  );
  return answer?.code === 0 ? answer.text.trim() : repository.commonDir;
}

/** HEAD of any worktree: full ref name (null where detached) and commit. */
export async function headOf(repository: Repository, worktree: string): Promise<{ ref: string | null; commit: Oid | null }> {
  const [symbolic, commit] = await Promise.all([
    runGit(repository, { cwd: worktree, args: ["symbolic-ref", "--quiet", "HEAD"], answers: [0, 1] }),
    runGit(repository, { cwd: worktree, args: ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], answers: [0, 1, 128] }),
  ]);
  return { ref: symbolic.code === 0 ? symbolic.text.trim() : null, commit: commit.code === 0 ? commit.text.trim() : null };
}

/** In the environment of a landing's git, with the folder of the landing: a process that outlives a killed coordinator is known by it. */
export function landingMark(place: string): Record<string, string> {
  return { GRAFTWORK_LANDING: place };
}

/**
 * Brings a checkout forward from the commit its HEAD is at to `to`. git itself refuses where a file it would write
 * has unsaved or untracked content, ignored files included; then nothing moved and git's sentence is returned.
 */
export async function fastForward(
  repository: Repository,
  worktree: string,
  to: Oid,
  mark: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const answer = await runGit(repository, {
    cwd: worktree,
    env: mark,
    args: [
      "-c",
      "merge.autoStash=false",
      "-c",
      "merge.verifySignatures=false",
      "-c",
      "rerere.enabled=false",
      "-c",
      "core.fsync=committed,reference",
      "merge",
      "--ff-only",
      "--no-overwrite-ignore",
      "--quiet",
      to,
    ],
    answers: [0, 1, 2, 128],
  });
  return answer.code === 0 ? undefined : gitSaid(answer);
}

/** git's own words on one line, without its advice. */
export function gitSaid(answer: GitAnswer): string {
  const said = answer.stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("hint:"));
  return said.map((line) => line.replace(/^error: /, "").trim()).join(" ") || answer.text.trim();
}

/** A git that outlived its coordinator in the middle of a landing is waited for, then ended. `mark`: of the landing's environment. */
export async function outwaitLanding(mark: Readonly<Record<string, string>>): Promise<void> {
  const marker = { markers: Object.entries(mark).map(([name, value]) => `${name}=${value}`), folders: [] };
  const deadline = uptimeMs() + 30_000;
  while (findProcesses(marker).length > 0 && uptimeMs() < deadline) await delay(50);
  await sweepProcesses(marker, 0);
}

/** Where HEAD of a worktree was before git last moved it by a merge or reset. */
export async function movedFrom(repository: Repository, worktree: string): Promise<Oid | null> {
  const answer = await runGit(repository, { cwd: worktree, args: ["rev-parse", "--verify", "--quiet", "ORIG_HEAD"], answers: [0, 1, 128] });
  return answer.code === 0 ? answer.text.trim() : null;
}
