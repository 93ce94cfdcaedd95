import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";

/** From so many paths on the whole index is listed: a command line has an end. */
const NAMED_AT_MOST = 200;

/** Which of these paths of the main worktree git tracks (staged ones included). */
export async function trackedPaths(repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const only = paths.length > NAMED_AT_MOST ? [] : paths;
  const answer = await runGit(repository, {
    cwd: repository.root,
    // Named, since a planted core.bare or core.worktree would show another folder, or none.
    gitDir: repository.commonDir,
    workTree: repository.root,
    args: ["--literal-pathspecs", "ls-files", "-z", "--", ...only],
  });
  return new Set(splitNul(answer.text));
}
