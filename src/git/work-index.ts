import { existsSync } from "node:fs";
import { replaceByCopy } from "../state/index.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import type { GitCall } from "./run-git.ts";
import { withScratchIndex } from "./scratch-index.ts";

/**
 * Lends a private index file: a copy of the slot's saved index (or nothing yet, where `slot` is null or was never
 * saved), with the raw git directory of our own. It is gone afterwards.
 */
export async function withWorkIndex<Result>(
  repository: Repository,
  slot: string | null,
  work: (indexFile: string, own: Pick<GitCall, "gitDir" | "env">) => Promise<Result>,
): Promise<Result> {
  return withScratchIndex(repository, (indexFile) => {
    const saved = slot === null ? undefined : repository.layout.savedIndex(slot);
    if (saved !== undefined && existsSync(saved)) replaceByCopy(saved, indexFile);
    const { gitDir, env } = ownGit(repository, "raw");
    return work(indexFile, { ...(gitDir === undefined ? {} : { gitDir }), ...(env === undefined ? {} : { env }) });
  });
}
