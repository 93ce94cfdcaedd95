import { spawnSync } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { identityOf, livenessOf, uptimeMs } from "./identity.ts";
import { ancestors, environmentOf, quietly, statOf } from "./proc.ts";

/** What a stray process is known by: any of these. */
export type SweepTarget = {
  /** `NAME=value` exactly as in a process's environment. */
  markers: readonly string[];
  /** Real paths of folders; a process whose current folder is one of them or below counts. */
  folders: readonly string[];
};

/**
 * Ends every process that carries a marker or works in a folder, also those that left their process group.
 * Ourselves and our ancestors are never touched: whoever calls `release` from inside a slot lives on. Nor is, without a
 * marker, a terminal's own shell that happens to stand in the folder, and who reads what we print (`release | tee`).
 * Returns the numbers of the processes that were ended.
 */
export async function sweepProcesses(target: SweepTarget, graceMs: number): Promise<number[]> {
  const ended = new Set<number>();
  // Several rounds, since a process may fork between the look and the signal.
  for (let round = 0; round < 5; round++) {
    const found = findProcesses(target);
    if (found.length === 0) break;
    for (const pid of found) ended.add(pid);
    await endProcesses(found, round === 0 ? graceMs : 0);
  }
  return [...ended];
}

/** The processes that `sweepProcesses` would end. */
export function findProcesses(target: SweepTarget): number[] {
  const spared = new Set([process.pid, ...ancestors()]);
  const marked: number[] = [];
  const standing: number[] = [];
  for (const [pid, facts] of listProcesses(target.folders.length > 0)) {
    if (spared.has(pid)) continue;
    const inFolder =
      facts.cwd !== undefined && target.folders.some((folder) => facts.cwd === folder || facts.cwd?.startsWith(`${folder}/`));
    if (hasMarker(facts, target.markers)) marked.push(pid);
    else if (inFolder) standing.push(pid);
  }
  const readers = readersOfOurs(standing);
  return [...marked, ...standing.filter((pid) => !readers.has(pid) && !isShellOfTerminal(pid))];
}

/** Of these, who is behind us in a pipeline. Linux alone tells. */
function readersOfOurs(pids: readonly number[]): Set<number> {
  const end = (pid: number | "self", fd: number): string => quietly(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? "";
  const pipes = new Set([end("self", 1), end("self", 2)].filter((name) => name.startsWith("pipe:")));
  const readers = new Set<number>();
  // As often as there may be links of the chain, whatever the order.
  for (let before = -1; before !== readers.size; ) {
    before = readers.size;
    for (const pid of pids.filter((one) => !readers.has(one) && pipes.has(end(one, 0)))) {
      readers.add(pid);
      pipes.add(end(pid, 1));
    }
  }
  return readers;
}

/** The leader of a session that has a terminal (proc(5), `stat`: session is field 6, tty_nr field 7). */
function isShellOfTerminal(pid: number): boolean {
  const fields = statOf(pid);
  return Number(fields[3]) === pid && Number(fields[4] ?? "0") !== 0;
}

function hasMarker(facts: Facts, markers: readonly string[]): boolean {
  if (markers.length === 0) return false;
  const environment = facts.environment();
  return markers.some((marker) => environment.includes(`\0${marker}\0`));
}

async function endProcesses(pids: readonly number[], graceMs: number): Promise<void> {
  const alive = pids.map(identityOf);
  const left = (): number[] => alive.filter((one) => livenessOf(one) === "alive").map((one) => one.pid);
  send(left(), "SIGTERM");
  const deadline = uptimeMs() + graceMs;
  while (left().length > 0 && uptimeMs() < deadline) await delay(20);
  send(left(), "SIGKILL");
  const killed = uptimeMs() + 1_000;
  while (left().length > 0 && uptimeMs() < killed) await delay(10);
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone between the look and the signal, or not ours to end.
    }
  }
}

type Facts = { cwd: string | undefined; environment: () => string };

function listProcesses(withFolders: boolean): Map<number, Facts> {
  return process.platform === "linux" ? listFromProc() : listFromPs(withFolders);
}

function listFromProc(): Map<number, Facts> {
  const all = new Map<number, Facts>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    all.set(Number(name), {
      // A folder that was removed under its process is shown with this at its end.
      cwd: quietly(() => readlinkSync(`/proc/${name}/cwd`).replace(/ \(deleted\)$/, "")),
      environment: () => environmentOf(Number(name)),
    });
  }
  return all;
}

/** macOS: `ps` shows the environment of our own processes after the command, `lsof` their folders. */
function listFromPs(withFolders: boolean): Map<number, Facts> {
  const all = new Map<number, Facts>();
  const shown = spawnSync("ps", ["-axEww", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  for (const line of shown.stdout.split("\n")) {
    const match = /^\s*(\d+) (.*)$/.exec(line);
    if (match?.[1] === undefined) continue;
    const words = `\0${(match[2] ?? "").replaceAll(" ", "\0")}\0`;
    all.set(Number(match[1]), { cwd: undefined, environment: () => words });
  }
  if (!withFolders) return all;
  let pid = 0;
  for (const line of spawnSync("lsof", ["-a", "-d", "cwd", "-Fpn"], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }).stdout.split("\n")) {
    if (line.startsWith("p")) pid = Number(line.slice(1));
    const facts = all.get(pid);
    if (line.startsWith("n") && facts !== undefined) facts.cwd = line.slice(1);
  }
  return all;
}
