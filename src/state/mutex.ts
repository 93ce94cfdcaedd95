import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GraftworkError, type ProcessIdentity } from "../domain/index.ts";
import { identityOf, livenessOf, uptimeMs } from "../subprocess/index.ts";
import { writeNewFile } from "./atomic-file.ts";
import { removeFile } from "./disk.ts";
import { type GenerationStore, openStore } from "./generation-store.ts";
import { readText } from "./read-file.ts";

type Holder = { nonce: string; process: ProcessIdentity };
type MutexState = { holder: Holder | null };

/**
 * Runs `work` while no other process runs work under the same mutex. A holder that died is passed over at once
 * (pid, start time and boot are compared); one that lives is waited for. Throws LOCK_TIMEOUT.
 * Built on a generation store, so taking over a dead holder's place cannot happen twice.
 */
export async function withMutex<Result>(dir: string, work: () => Promise<Result>, options: { timeoutMs?: number } = {}): Promise<Result> {
  const store = openMutex(dir);
  const mine: Holder = { nonce: randomUUID(), process: identityOf(process.pid) };
  const token = tokenOf(dir, mine);
  writeNewFile(token, JSON.stringify(mine.process), false);
  try {
    await take(dir, store, mine, uptimeMs() + (options.timeoutMs ?? 60_000));
    return await work();
  } finally {
    // Without its token nobody is inside any more; a full disk lets files go, but takes no new record.
    removeFile(token);
    await store
      .commit(`leave ${mine.nonce}`, (state) => (state.holder?.nonce === mine.nonce ? { holder: null } : undefined))
      .catch(() => undefined);
  }
}

/** There for as long as its holder is inside, or waits to be. */
function tokenOf(dir: string, { nonce }: Pick<Holder, "nonce">): string {
  return join(dir, `inside.${nonce}`);
}

/** Of a process that was killed while it waited: nobody asks for that one's token any more. */
export function isTokenOfDead(path: string): boolean {
  if (!basename(path).startsWith("inside.")) return false;
  try {
    return livenessOf(JSON.parse(readText(path) ?? "") as ProcessIdentity) === "dead";
  } catch {
    // It is being written at this moment.
    return false;
  }
}

function isInside(dir: string, holder: Holder): boolean {
  if (livenessOf(holder.process) !== "dead") return existsSync(tokenOf(dir, holder));
  removeFile(tokenOf(dir, holder));
  return false;
}

/** Its records are not flushed, so a power cut may leave an empty one: whoever held the mutex then is gone. */
function openMutex(dir: string): GenerationStore<MutexState> {
  const open = (): GenerationStore<MutexState> =>
    openStore({ dir, schema: 1, initial: { holder: null }, parse: (value) => value as MutexState, durability: "none" });
  const store = open();
  return store.setAsideDamaged() === undefined ? store : openMutex(dir);
}

async function take(dir: string, store: GenerationStore<MutexState>, mine: Holder, deadline: number): Promise<void> {
  for (;;) {
    const { state } = await store.commit(`enter ${mine.nonce}`, ({ holder }) =>
      holder === null || !isInside(dir, holder) ? { holder: mine } : undefined,
    );
    if (state.holder?.nonce === mine.nonce) return;
    if (uptimeMs() > deadline) throw timeout(state.holder);
    await delay(2 + Math.random() * 20);
  }
}

function timeout(holder: Holder | null): GraftworkError {
  return new GraftworkError("LOCK_TIMEOUT", {
    message: "Another graftwork process has been changing worktrees for too long.",
    because:
      holder === null
        ? "it was never free when looked at."
        : `process ${holder.process.pid} on ${holder.process.host.split("/")[0]} holds the lock and is alive.`,
    try: "look at that process; if it hangs, end it and run the same command again.",
    details: { holder },
  });
}
