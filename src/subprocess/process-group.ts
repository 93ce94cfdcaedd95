import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { systemCode } from "../domain/index.ts";
import { uptimeMs } from "./identity.ts";

const POLL_MS = 20;

/** Ends every process of group `pgid`: TERM, `graceMs`, KILL. Returns when none is left (at most 2 s after KILL). */
export async function endGroup(pgid: number, graceMs: number): Promise<void> {
  if (!signalGroup(pgid, "SIGTERM")) return;
  if (await groupEnds(pgid, graceMs)) return;
  signalGroup(pgid, "SIGKILL");
  await groupEnds(pgid, 2_000);
}

/** Sends a signal to a whole group. False where no process of it is left. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch (error) {
    // EPERM: members that are not ours (a setuid program); they count as there.
    return systemCode(error) === "EPERM";
  }
}

async function groupEnds(pgid: number, withinMs: number): Promise<boolean> {
  const deadline = uptimeMs() + withinMs;
  while (groupLives(pgid)) {
    if (uptimeMs() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/**
 * A group that consists of zombies alone still takes signals, and an orphan stays one for as long as the container's
 * first process does not wait for it: often seconds, in some for ever.
 */
function groupLives(pgid: number): boolean {
  if (!signalGroup(pgid, 0)) return false;
  if (process.platform !== "linux") return true;
  // Looked at twice: a member may have forked and ended after the list was taken.
  return hasLivingMember(pgid) || hasLivingMember(pgid);
}

function hasLivingMember(pgid: number): boolean {
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(group) === pgid && state !== "Z" && state !== "X";
    } catch {
      return false;
    }
  });
}
