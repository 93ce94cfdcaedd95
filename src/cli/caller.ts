import type { Command } from "commander";
import { GraftworkError } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import { type CallerLease, leaseOfCaller } from "../pool/index.ts";
import { liveRun } from "../state/index.ts";
import { inherited, isStartedBy } from "../subprocess/index.ts";
import { ownRepository } from "./own-repository.ts";
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
 * Throws CALLER_REFUSED if a program that works for a lease or a run calls a verb that only a person may call. Such a program
 * (an agent, a check, and all that they start) may read and release its own slot. Every verb passes this one guard.
 */
export async function requireRightful(shell: Shell, command: Command): Promise<void> {
  const verb = nameOf(command);
  if (READING.has(verb) || isReading(verb, command)) return;
  const caller = await programBehind(shell);
  // Somebody at a terminal in a slot is a person: a program has a marker or a run among its ancestors.
  if (caller === undefined || (caller.byFolder && shell.canAsk)) return;
  if (verb === "pool release" && isOwnRelease(command, caller)) return;
  // A client's session works in a slot itself, and gives its sub-agents slots of their own.
  if (verb === "hook worktree-create" && caller.session !== null) return;
  throw new GraftworkError("CALLER_REFUSED", {
    message: `\`graftwork ${verb}\` is not for programs that work for a run or in a slot.`,
    because: `this one works for ${caller.what}; it may read, and release a slot of its own.`,
    try: "call it from a terminal outside of the pool's slots. An agent that needs it says so in its closing words.",
    details: { verb, slot: caller.slot, task: caller.task },
  });
}

/** What a caller works for: a lease, a check or a run. `slot` and `task` are empty if it is no lease. */
type Program = CallerLease & { what: string };

/** Returns what a caller works for, by its environment, its ancestors, and last the folder it stands in. Undefined: a person. */
export async function programBehind(shell: Shell): Promise<Program | undefined> {
  const said = [...MARKERS.map((name) => [name, shell.env[name] ?? ""] as const), ...inherited(MARKERS)];
  const valuesOf = (marker: (typeof MARKERS)[number]): string[] =>
    said.filter(([name, value]) => name === marker && value !== "").map(([, value]) => value);
  const repository = await ownRepository(shell).catch(() => undefined);
  const signs = { cwd: shell.cwd, leases: valuesOf("GRAFTWORK_LEASE"), slotPaths: valuesOf("GRAFTWORK_SLOT_PATH") };
  const lease = leaseOfCaller(repository, signs);
  const ofLease = lease && {
    ...lease,
    what: lease.task === "" ? `a lease that is over or elsewhere (${lease.slot})` : `task ${lease.task} in ${lease.slot}`,
  };
  if (repository === undefined || ofLease?.byFolder === false) return ofLease;
  const other = { slot: "", task: "", isOver: true, session: null, byFolder: false };
  const rooms = valuesOf("GRAFTWORK_QA");
  // Loading this costs 7 ms, and most callers are persons.
  const isRoom = rooms.length === 0 ? () => false : (await import("../checkout/index.ts")).isRoom;
  if (rooms.some((id) => isRoom(repository, id))) return { ...other, what: "a check of somebody's work" };
  const run = runAbove(repository);
  return run === undefined ? ofLease : { ...other, what: `run ${run}` };
}

const MARKERS = ["GRAFTWORK_LEASE", "GRAFTWORK_SLOT_PATH", "GRAFTWORK_QA"] as const;

/** Returns the live run if its process is an ancestor of the caller. A program can empty its environment, not its ancestry. */
function runAbove(repository: Repository): string | undefined {
  try {
    const live = liveRun(repository);
    return live !== null && isStartedBy(live.owner) ? live.run : undefined;
  } catch (error) {
    // The verb that repairs a damaged record must not fail here.
    if (error instanceof GraftworkError) return undefined;
    throw error;
  }
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
