import { GraftworkError, type LeasedSlot } from "../domain/index.ts";
import { acquireSlot } from "../pool/index.ts";
import type { DispatchContext } from "./context.ts";

/**
 * Takes a slot for an attempt, and waits `slotWaitMs` for one that others hold. Returns null if the run was stopped
 * meanwhile: then the attempt has not begun. Throws POOL_EXHAUSTED, which names the holders, when the time has passed.
 */
export async function acquireForAttempt(
  { pool, signal, slotWaitMs }: Pick<DispatchContext, "pool" | "signal" | "slotWaitMs">,
  request: { task: string; base: string; branch: string | null; prefer: string | null },
): Promise<LeasedSlot | null> {
  const { task, base, branch, prefer } = request;
  const wanted = { ...(branch !== null && { branch }), ...(prefer !== null && { prefer }) };
  try {
    return await acquireSlot(pool, { task, base, waitMs: slotWaitMs, signal, ...wanted });
  } catch (error) {
    if (signal.aborted && error instanceof GraftworkError && error.code === "INTERRUPTED") return null;
    throw error;
  }
}
