import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { GraftworkError, type ProcessIdentity } from "../domain/index.ts";
import { identityOf, livenessOf, uptimeMs } from "../subprocess/index.ts";
import { type GenerationStore, openStore } from "./generation-store.ts";

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
  await take(store, mine, uptimeMs() + (options.timeoutMs ?? 60_000));
  try {
    return await work();
  } finally {
    await store.commit(`leave ${mine.nonce}`, (state) => (state.holder?.nonce === mine.nonce ? { holder: null } : undefined));
  }
}

/** Its records are not flushed, so a power cut may leave an empty one: whoever held the mutex then is gone. */
function openMutex(dir: string): GenerationStore<MutexState> {
  const open = (): GenerationStore<MutexState> =>
    openStore({ dir, schema: 1, initial: { holder: null }, parse: (value) => value as MutexState, durability: "none" });
  const store = open();
  return store.setAsideDamaged() === undefined ? store : openMutex(dir);
}

async function take(store: GenerationStore<MutexState>, mine: Holder, deadline: number): Promise<void> {
  for (;;) {
    const { state } = await store.commit(`enter ${mine.nonce}`, ({ holder }) =>
      holder === null || livenessOf(holder.process) === "dead" ? { holder: mine } : undefined,
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
