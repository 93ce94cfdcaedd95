import { statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isSwitchedOff } from "../subprocess/index.ts";

/** Longest wait for a place at the front; a store that is busier than this is a defect worth hearing of. */
const PATIENCE_MS = 30_000;

/** No commit takes as long. */
const TURN_MS = 100;

/**
 * Repeats `attempt` until it returns something, queued by a lock so that writers take turns instead of racing.
 * The lock is a courtesy: it may have two holders or none, and the attempts stay correct.
 */
export async function waitInRoom<Result>(dir: string, useLock: boolean, attempt: () => Result | undefined): Promise<Result> {
  const release = useLock && !isSwitchedOff("waiting-room") ? await enter(dir) : undefined;
  try {
    for (;;) {
      const result = attempt();
      if (result !== undefined) return result;
      await delay(Math.random() * (useLock ? 5 : 20));
    }
  } finally {
    await release?.();
  }
}

/** True where somebody has just come to the front. Whoever is killed there leaves the lock, and nobody waits for that. */
export function isCrowded(dir: string): boolean {
  const lock = statSync(`${dir}.lock`, { throwIfNoEntry: false });
  return lock !== undefined && Date.now() - lock.mtimeMs < TURN_MS;
}

async function enter(dir: string): Promise<(() => Promise<void>) | undefined> {
  const { lock } = await import("./lock-file.ts");
  try {
    const release = await lock(dir, {
      realpath: false,
      stale: 5_000,
      // The default back-off (1 s, doubling) lets one process win 600 turns while another has none.
      retries: { retries: Math.ceil(PATIENCE_MS / 65), minTimeout: 30, maxTimeout: 100, factor: 1, randomize: true },
      onCompromised: () => undefined,
    });
    return () => release().catch(() => undefined);
  } catch {
    return undefined;
  }
}
