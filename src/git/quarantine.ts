import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { mkdirSync, rmSync } from "../state/index.ts";
import type { Repository } from "./repository.ts";

/**
 * Lends the repository with a scratch folder as its object store: everything it has can be read, and what git writes
 * meanwhile (merged trees, throw-away commits) is gone afterwards. git itself refuses to move a ref there.
 */
export async function withQuarantine<Result>(repository: Repository, work: (inside: Repository) => Promise<Result>): Promise<Result> {
  const folder = join(repository.layout.scratch, `objects.${randomUUID()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const quarantine = {
    GIT_OBJECT_DIRECTORY: folder,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: quoted(join(repository.commonDir, "objects")),
    GIT_QUARANTINE_PATH: folder,
  };
  try {
    return await work({ ...repository, quarantine });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The scratch folder with a borrowed repository's own objects; none where it is not in quarantine. */
export function quarantineOf({ quarantine }: Repository): string[] {
  const folder = quarantine?.["GIT_QUARANTINE_PATH"];
  return folder === undefined ? [] : [folder];
}

/** The list of alternates is cut at colons, except in quotes. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
