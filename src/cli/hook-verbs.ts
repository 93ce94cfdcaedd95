import { sep } from "node:path";
import { EXIT, type ExitCode, GraftworkError } from "../domain/index.ts";
import { acquireSlot, existingStore, initPool, type PoolContext, releaseSlot } from "../pool/index.ts";
import { openToRun } from "./approval.ts";
import { programBehind } from "./caller.ts";
import { hookEvent, taskOfHook } from "./hook-event.ts";
import { openPoolContext } from "./pool-context.ts";
import { reportError, type Shell } from "./shell.ts";

/** The client asks for a worktree: a slot is leased, its path alone is printed. The pool is made where there is none yet. */
export async function worktreeCreate(shell: Shell, input: AsyncIterable<Uint8Array>): Promise<ExitCode> {
  const event = await hookEvent(input);
  const { context } = await openToRun({ ...shell, cwd: event.cwd ?? shell.cwd });
  const owned: PoolContext = event.session_id === undefined ? context : { ...context, owner: { kind: "shell", name: event.session_id } };
  const task = taskOfHook(event.name ?? event.session_id ?? "worktree");
  const slot = await acquireSlot(owned, { task }).catch(async (error: unknown) => {
    if (!(error instanceof GraftworkError) || error.code !== "POOL_MISSING") throw error;
    await initPool(owned, { size: owned.settings.size });
    return acquireSlot(owned, { task });
  });
  shell.answer(slot.path, { slot: slot.id, path: slot.path, branch: slot.lease.branch });
  return EXIT.ok;
}

/**
 * A worktree, a sub-agent or a session of the client has ended: the slot it worked in is released, where it is one of
 * its own. A sub-agent that worked in its session's slot ends nothing. Never exit 2: that would keep the client going.
 */
export async function worktreeDone(
  shell: Shell,
  what: "worktree" | "agent" | "session",
  input: AsyncIterable<Uint8Array>,
): Promise<ExitCode> {
  try {
    const event = await hookEvent(input);
    const folder = event.worktree_path ?? event.cwd ?? shell.cwd;
    const { context } = await openPoolContext({ ...shell, cwd: folder });
    const slot = existingStore(context.repository)
      .read()
      .state.slots.find(({ path }) => `${folder}${sep}`.startsWith(`${path}${sep}`));
    const lease = slot?.lease ?? undefined;
    const caller = await programBehind(shell);
    // A caller in a slot may end that slot and the others of its session. An event cannot prove who calls.
    const mayEnd = caller === undefined || caller.slot === slot?.id || (caller.session !== null && caller.session === lease?.owner.name);
    const isNamed = event.session_id === undefined || lease?.owner.name === event.session_id;
    const isOfSession = lease?.owner.kind === "shell" && mayEnd && isNamed;
    const isOfAgent = what !== "agent" || (event.agent_id !== undefined && lease?.task === taskOfHook(`agent-${event.agent_id}`));
    if (slot === undefined || !isOfSession || !isOfAgent) return done(shell, null, null);
    const { rescue } = await releaseSlot(context, { name: slot.id });
    return done(shell, slot.id, rescue?.id ?? null);
  } catch (error) {
    reportError(shell, error);
    return EXIT.failed;
  }
}

function done(shell: Shell, released: string | null, rescue: string | null): ExitCode {
  shell.answer("", { released, rescue });
  return EXIT.ok;
}
