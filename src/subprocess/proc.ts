import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import type { ProcessIdentity } from "../domain/index.ts";
import { livenessOf } from "./identity.ts";

/** The numbers of the processes that we were started by, our parent first. */
export function ancestors(): number[] {
  const found = new Set<number>();
  for (let pid = process.ppid; pid > 1 && !found.has(pid); pid = parentOf(pid)) found.add(pid);
  return [...found];
}

function parentOf(pid: number): number {
  if (process.platform !== "linux")
    return Number(spawnSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim() || "0");
  return Number(statOf(pid)[1] ?? "0");
}

/** The fields behind the name (proc(5), `stat`): state, parent, group, session, terminal, … Linux alone has them. */
export function statOf(pid: number): string[] {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, "utf8")) ?? "";
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** The environment that a process was started with: `NAME=value`, with a NUL before and behind each. */
export function environmentOf(pid: number): string {
  if (process.platform === "linux") return `\0${quietly(() => readPlainly(`/proc/${pid}/environ`)) ?? ""}\0`;
  const shown = spawnSync("ps", ["-Eww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout;
  return `\0${shown.trim().replaceAll(" ", "\0")}\0`;
}

/**
 * Returns the values of these variables in all ancestor processes, as `[name, value]`. A process may have changed a variable for
 * its children, so one ancestor alone says little.
 */
export function inherited(names: readonly string[]): [name: string, value: string][] {
  return ancestors().flatMap((pid) =>
    environmentOf(pid)
      .split("\0")
      .map((one): [string, string] => [one.slice(0, Math.max(0, one.indexOf("="))), one.slice(one.indexOf("=") + 1)])
      .filter(([name, value]) => names.includes(name) && value !== ""),
  );
}

/** True if this process is an ancestor of ours and still alive. */
export function isStartedBy(process: ProcessIdentity): boolean {
  return ancestors().includes(process.pid) && livenessOf(process) === "alive";
}

const buffer = Buffer.allocUnsafe(128 * 1024);

/** Such files have no size: `readFileSync` would ask twice for each of some hundred. */
function readPlainly(path: string): string {
  const file = openSync(path, "r");
  try {
    const length = readSync(file, buffer, 0, buffer.length, 0);
    return length < buffer.length ? buffer.toString("utf8", 0, length) : readFileSync(path, "utf8");
  } finally {
    closeSync(file);
  }
}

export function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
