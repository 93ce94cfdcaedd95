import { existsSync, lstatSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Repository } from "../git/index.ts";
import { isWithin, mkdirSync, readText, replaceFile, requireWithin, rmSync, symlinkSync } from "../state/index.ts";
import { type PoolState, type PoolStore } from "./pool-state.ts";

/** Paths of ours below `.claude/`; kept out of git by `info/exclude`, never by the user's .gitignore. */
const EXCLUDED = [
  "/.claude/worktree-pool",
  "/.claude/pool-state.json",
  "/.claude/auto-progress.yaml",
  "/.claude/auto-state-machine.yaml",
  "/.claude/auto-memory/",
  "/.claude/conflicts/",
  "/.claude/screenshots/current/",
  "/.claude/runs/",
  "/.claude/.graftwork-*.tmp",
];
const MARK = "# graftwork: its own files";

export function poolViewPath(repository: Repository): string {
  const named = repository.parentEnv["POOL_STATE_FILE"];
  return resolve(repository.root, named || join(".claude", "pool-state.json"));
}

/**
 * Writes `.claude/pool-state.json`; written again where another process was faster, so the newest always stays. Nothing is
 * written through a link that leads out of the repository: the pool works without its view, and `pool init` names the link.
 */
export function writePoolView(repository: Repository, store: PoolStore): void {
  const path = poolViewPath(repository);
  const isNamed = !path.startsWith(`${repository.root}/`);
  if (!isNamed && !isWithin(repository.root, dirname(path))) return;
  for (let tries = 0; tries < 5; tries++) {
    const { generation, state } = store.read();
    replaceFile(path, `${JSON.stringify(poolView(state), null, 2)}\n`, { via: repository.layout.scratch });
    if (store.read().generation === generation) return;
  }
}

/** The view's shape: the source system's fields, then our own. */
export function poolView(state: PoolState): object {
  return {
    version: "1.0",
    schema: 1,
    pool_size: state.slots.length,
    created_at: state.createdAt,
    worktrees: state.slots.map((slot) => ({
      id: slot.id,
      path: slot.path,
      status: slot.status,
      task_id: slot.lease?.task ?? null,
      branch: slot.lease?.branch ?? null,
      acquired_at: slot.lease?.acquiredAt ?? null,
      base: slot.lease?.base ?? null,
      token: slot.lease?.token ?? null,
      run: slot.lease?.run ?? null,
      owner: slot.lease?.owner.name ?? null,
      expires_at: slot.lease?.expiresAt ?? null,
      last_error: slot.lastError,
    })),
  };
}

/** Our paths that `info/exclude` does not name. */
export function missingExcludes(repository: Repository): string[] {
  const lines = (readText(join(repository.commonDir, "info", "exclude")) ?? "").split("\n");
  return EXCLUDED.filter((line) => !lines.includes(line));
}

/** Adds our paths to `info/exclude` once. */
export function excludeOwnFiles(repository: Repository): void {
  const missing = missingExcludes(repository);
  if (missing.length === 0) return;
  const path = join(repository.commonDir, "info", "exclude");
  const before = readText(path) ?? "";
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  replaceFile(path, `${before}${gap}${before.includes(MARK) ? "" : `${MARK}\n`}${missing.join("\n")}\n`);
}

/** The link, to where the slots are now; a folder of the user's in its place stays. */
export function relinkPool(repository: Repository, dir: string): void {
  const link = join(repository.root, ".claude", "worktree-pool");
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(link);
  linkPool(repository, dir);
}

/** `.claude/worktree-pool` leads to the slots, as documents of the source system expect. */
export function linkPool(repository: Repository, dir: string): void {
  const link = join(repository.root, ".claude", "worktree-pool");
  requireWithin(repository.root, dirname(link));
  if (existsSync(link) || lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(dir, link);
}
