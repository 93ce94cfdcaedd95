import { randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { cacheFolder, isWritable } from "../checkout/index.ts";
import type { Config, LeaseOwner } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import { identityOf, type Uptime } from "../subprocess/index.ts";

/** What every pool verb needs to know about its caller. */
export type PoolContext = {
  repository: Repository;
  settings: Config["pool"];
  /** Who leases belong to. */
  owner: LeaseOwner;
  /** The run that leases belong to; `shell` for people and scripts. */
  run: string;
  now: () => Date;
  /** The clock that leases run out by; absent: the machine's own. */
  uptime?: () => Uptime;
  /** Progress and remarks, one line each; never the answer. */
  narrate: (line: string) => void;
};

/**
 * Who a caller from a shell is: `GRAFTWORK_OWNER`, else the client's session, else the shell as such. Two different
 * owners cannot take each other's lease by asking for the same task.
 */
export function shellOwner(env: Readonly<NodeJS.ProcessEnv>): LeaseOwner {
  return { kind: "shell", name: env["GRAFTWORK_OWNER"] ?? env["CLAUDE_CODE_SESSION_ID"] ?? env["CLAUDE_SESSION_ID"] ?? UNNAMED };
}

/** The owner's name if the caller has none. */
export const UNNAMED = "shell";

/** The owner of leases that end with this very process. */
export function processOwner(name: string): LeaseOwner {
  return { kind: "process", name, process: identityOf(process.pid) };
}

/** Where the slots of a new pool go: beside the repository, never in it; in the user's cache where that cannot be written. */
export function poolFolder(repository: Repository, settings: Config["pool"]): string {
  if (settings.dir !== null) return resolve(repository.root, settings.dir);
  const beside = join(dirname(repository.root), `${basename(repository.root)}.pool`);
  return existsSync(beside) || isWritable(dirname(repository.root)) ? beside : join(cacheFolder(repository), "pool");
}

/** A name for one operation, unique for ever. */
export function operationName(verb: string): string {
  return `${verb} ${randomUUID()}`;
}

/** Device and inode of a folder, as text: what tells a slot's folder from another in its place. */
export function folderIdentity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

export const INSTALL_TIMEOUT_MS = 15 * 60_000;
