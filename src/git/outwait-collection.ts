import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readText } from "../state/index.ts";
import { childEnvironment, identityOf, runCommand, uptimeMs } from "../subprocess/index.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** Longer than this none is waited for: the process may be another one, by the number of a collection that was killed. */
const LONGEST_MS = 10 * 60_000;

/**
 * Waits until a `git gc` has ended that deletes what is young too (`--prune`, `gc.pruneExpire`). What it deletes it
 * decided by the refs of its beginning, so it may take what a newer ref holds, after any look at it; one that begins
 * later sees that ref. A `git prune` by itself says nothing of its being there, and is not waited for.
 */
export async function outwaitCollection(repository: Repository): Promise<void> {
  const collector = collectorOf(repository);
  if (collector === undefined || !(await takesYoung(repository, collector))) return;
  const deadline = uptimeMs() + LONGEST_MS;
  while (collectorOf(repository) === collector && uptimeMs() < deadline) await delay(20);
}

/** The process that git's own note names; undefined where it is gone, or another machine's. */
function collectorOf({ commonDir }: Repository): number | undefined {
  const [pid = "", host] = (readText(join(commonDir, "gc.pid")) ?? "").trim().split(" ");
  const isHere = host === hostname() && /^\d+$/.test(pid) && identityOf(Number(pid)).startTime !== "gone";
  return isHere ? Number(pid) : undefined;
}

/** git spares what is younger than two weeks unless somebody says otherwise, and such a collection may run long, unseen. */
async function takesYoung(repository: Repository, collector: number): Promise<boolean> {
  const argv = ["ps", "-ww", "-o", "args=", "-p", String(collector)] as const;
  const [{ notStarted, stdout }, expiry] = await Promise.all([
    runCommand({ argv: [...argv], cwd: repository.commonDir, env: childEnvironment(repository.parentEnv, [], {}) }),
    runGit(repository, { cwd: repository.root, args: ["config", "--get", "gc.pruneExpire"], answers: [0, 1] }),
  ]);
  return notStarted !== null || stdout.includes("--prune") || expiry.code === 0;
}
