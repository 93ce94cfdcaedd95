import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { ProcessIdentity } from "../domain/index.ts";

/**
 * A process number alone is worthless: it wraps in half a minute of busy forking. Start time, boot and host
 * (with the process namespace, so that containers don't mistake each other) tell processes apart.
 */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTime: startTimeOf(pid) ?? "gone", bootId: bootId(), host: hostId() };
}

/** `unknown` where the process belongs to another host: alive until its lease ends. */
export function livenessOf(process: ProcessIdentity): "alive" | "dead" | "unknown" {
  if (process.host !== hostId()) return "unknown";
  if (process.bootId !== bootId()) return "dead";
  return startTimeOf(process.pid) === process.startTime ? "alive" : "dead";
}

/** True where it lives and goes on: not held by a SIGSTOP, not on another host, of which nothing is known. */
export function isRunning(process: ProcessIdentity): boolean {
  return livenessOf(process) === "alive" && !isStopped(process.pid);
}

function isStopped(pid: number): boolean {
  if (process.platform !== "linux")
    return spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
      .stdout.trim()
      .startsWith("T");
  try {
    return /\) [Tt] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Undefined where there is no such process, or only its remains (a zombie). */
function startTimeOf(pid: number): string | undefined {
  if (process.platform !== "linux") {
    const answer = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" });
    const [stat, ...start] = answer.stdout.trim().split(/\s+/);
    return stat === undefined || stat === "" || stat.startsWith("Z") ? undefined : start.join(" ");
  }
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name in parentheses may itself hold ") S 1 (": only what follows the last one is fields.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  return state === "Z" || state === "X" ? undefined : fields[19];
}

function bootId(): string {
  if (process.platform === "linux") return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return spawnSync("sysctl", ["-n", "kern.boottime"], { encoding: "utf8" }).stdout.trim();
}

/** A clock that no setting of the time moves; it stands still while the machine sleeps, and begins anew at each boot. */
export type Uptime = { bootId: string; ms: number };

export function systemUptime(): Uptime {
  return { bootId: bootId(), ms: Math.round(uptimeMs()) };
}

/** Milliseconds by the same clock: for how long something takes or may take. */
export function uptimeMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function hostId(): string {
  try {
    return `${hostname()}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
