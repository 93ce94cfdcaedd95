import type { Command } from "commander";
import { GraftworkError } from "../domain/index.ts";
import { isInLinkedWorktree, openRepository } from "../git/index.ts";
import { type CallerLease, leaseOfCaller } from "../pool/index.ts";
import { inherited } from "../subprocess/index.ts";
import type { Shell } from "./shell.ts";

/** Verbs that only read, so that an agent may call them. Hooks that say that something ended release nothing of others. */
const READING: ReadonlySet<string> = new Set([
  "status",
  "logs",
  "runs list",
  "plan check",
  "plan show",
  "config",
  "trust show",
  "schema",
  "conflicts list",
  "conflicts check",
  "merge-file",
  "pool status",
  "pool rescue list",
  "pool rescue show",
  "hook worktree-remove",
  "hook subagent-stop",
  "hook session-end",
]);

/**
 * The one guard for who calls. What works for a lease (an agent, and all that it starts) may read and give its own slot
 * back; the rest is a person's. Throws CALLER_REFUSED.
 */
export async function requireRightful(shell: Shell, command: Command): Promise<void> {
  const verb = nameOf(command);
  if (READING.has(verb) || isReading(verb, command)) return;
  const lease = await callerLease(shell);
  if (lease === undefined || (verb === "pool release" && isOwnRelease(command, lease))) return;
  // A client's session works in a slot itself, and gives its sub-agents slots of their own.
  if (verb === "hook worktree-create" && lease.session !== null) return;
  throw new GraftworkError("CALLER_REFUSED", {
    message: `\`graftwork ${verb}\` is not for programs that work in a slot.`,
    because: `this one works for ${lease.task === "" ? `a lease that is over or elsewhere (${lease.slot})` : `task ${lease.task} in ${lease.slot}`}; it may read, and release a slot of its own.`,
    try: "call it from a terminal outside of the pool's slots. An agent that needs it says so in its closing words.",
    details: { verb, slot: lease.slot, task: lease.task },
  });
}

/** The lease that the caller works for, by its environment, that of what started it, or the folder it stands in. */
export async function callerLease(shell: Shell): Promise<CallerLease | undefined> {
  const own = shell.env["GRAFTWORK_LEASE"];
  const markers = [...(own ? [own] : []), ...inherited("GRAFTWORK_LEASE")];
  if (markers.length === 0 && !isInLinkedWorktree(shell.cwd)) return undefined;
  const repository = await openRepository(shell.cwd, { parentEnv: shell.env }).catch(() => undefined);
  return leaseOfCaller(repository, { cwd: shell.cwd, markers });
}

/** `pool release` for `graftwork pool release`. */
function nameOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent != null; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

/** Tells if a verb only reads with these options. */
function isReading(verb: string, command: Command): boolean {
  const options = command.opts<{ preview?: boolean; fix?: boolean }>();
  if (verb === "merge") return options.preview === true;
  return verb === "pool health" && options.fix !== true;
}

function isOwnRelease(command: Command, lease: { slot: string; task: string; isOver: boolean }): boolean {
  const { discard, force, token } = command.opts<{ discard?: boolean; force?: boolean; token?: string }>();
  const [name] = command.args;
  const isOwn = !lease.isOver && (name === lease.slot || name === lease.task);
  return isOwn && force !== true && (discard !== true || token !== undefined);
}
