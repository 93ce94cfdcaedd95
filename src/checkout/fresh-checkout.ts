import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { exportTree, type Oid, type Repository } from "../git/index.ts";

/** A folder that holds exactly one commit's files and belongs to one verification. */
export type FreshCheckout = {
  /** The project's files. */
  dir: string;
  /** An empty home and temporary folder for what runs there. */
  home: string;
  tmp: string;
  /** Deletes all of it. */
  dispose(): void;
};

/**
 * The user's cache folder, per repository: outside it, since a folder below would resolve the user's own
 * `node_modules` and approve work whose dependency is missing.
 */
export function cacheFolder(repository: Repository): string {
  const base = repository.parentEnv["XDG_CACHE_HOME"] ?? join(repository.parentEnv["HOME"] ?? homedir(), ".cache");
  return join(base, "graftwork", createHash("sha256").update(repository.commonDir).digest("hex").slice(0, 16));
}

/** Exports `commit` into a new folder under the cache folder. */
export async function freshCheckout(repository: Repository, commit: Oid, marker: string): Promise<FreshCheckout> {
  const root = join(cacheFolder(repository), "qa", `${marker}.${process.pid}.${randomUUID().slice(0, 8)}`);
  const checkout = { dir: join(root, "work"), home: join(root, "home"), tmp: join(root, "tmp"), dispose: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }) };
  for (const folder of [checkout.dir, checkout.home, checkout.tmp]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    await exportTree(repository, commit, checkout.dir);
  } catch (error) {
    checkout.dispose();
    throw error;
  }
  return checkout;
}
