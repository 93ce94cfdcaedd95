import { createHash } from "node:crypto";
import { sep } from "node:path";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { EXIT, type ExitCode, GraftworkError, isTaskId } from "../domain/index.ts";
import { acquireSlot, existingStore, initPool, type PoolContext, releaseSlot } from "../pool/index.ts";
import { openToRun } from "./approval.ts";
import { callerLease } from "./caller.ts";
import { openPoolContext } from "./pool-context.ts";
import { reportError, type Shell } from "./shell.ts";

/** What the client sends with its events; keys that we do not need are let be. */
const Event = v.object({
  session_id: v.optional(v.string()),
  cwd: v.optional(v.string()),
  name: v.optional(v.string()),
  worktree_path: v.optional(v.string()),
  agent_id: v.optional(v.string()),
});

/** The client asks for a worktree: a slot is leased, its path alone is printed. The pool is made where there is none yet. */
export async function worktreeCreate(shell: Shell, input: AsyncIterable<Uint8Array>): Promise<ExitCode> {
  const event = await eventOf(input);
  const { context } = await openToRun({ ...shell, cwd: event.cwd ?? shell.cwd });
  const owned: PoolContext = event.session_id === undefined ? context : { ...context, owner: { kind: "shell", name: event.session_id } };
  const task = taskOf(event.name ?? event.session_id ?? "worktree");
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
    const event = await eventOf(input);
    const folder = event.worktree_path ?? event.cwd ?? shell.cwd;
    const { context } = await openPoolContext({ ...shell, cwd: folder });
    const slot = existingStore(context.repository)
      .read()
      .state.slots.find(({ path }) => `${folder}${sep}`.startsWith(`${path}${sep}`));
    const lease = slot?.lease ?? undefined;
    const caller = await callerLease(shell);
    // A caller in a slot may end that slot and the others of its session. An event cannot prove who calls.
    const mayEnd = caller === undefined || caller.slot === slot?.id || (caller.session !== null && caller.session === lease?.owner.name);
    const isNamed = event.session_id === undefined || lease?.owner.name === event.session_id;
    const isOfSession = lease?.owner.kind === "shell" && mayEnd && isNamed;
    const isOfAgent = what !== "agent" || (event.agent_id !== undefined && lease?.task === taskOf(`agent-${event.agent_id}`));
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

async function eventOf(input: AsyncIterable<Uint8Array>): Promise<v.InferOutput<typeof Event>> {
  const said = await text(input as Parameters<typeof text>[0]);
  try {
    return v.parse(Event, JSON.parse(said));
  } catch {
    throw new GraftworkError("USAGE", {
      message: "The hook's input is no event of the client.",
      because: "a hook is given one JSON object on standard input.",
      try: "let the client call it; docs/pool.md shows the settings.",
    });
  }
}

/** A client names worktrees as it likes; what is no task's id becomes one that is, and is the same each time. */
function taskOf(name: string): string {
  if (isTaskId(name)) return name;
  const plain = name
    .replace(/[^A-Za-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${plain === "" ? "worktree" : plain}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`.replace(/^-/, "");
}
