import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { identityOf, livenessOf } from "../../../src/subprocess/index.ts";
import { atEnd } from "../../fixtures/index.ts";

/** Argv of a Node program given as text. */
export function node(program: string, ...args: readonly string[]): [string, ...string[]] {
  return [process.execPath, "-e", program, ...args];
}

/** Lives until it is ended; two minutes at most, whatever goes wrong. */
export const LIVES = "setTimeout(() => {}, 120_000);";

/**
 * A shell that starts a child, both noting their ids in a file, and lives on; with `ignoring`, TERM ends neither.
 * They start within milliseconds, so that a test's time limit need not be long.
 */
export function family(file: string, ignoring: boolean): [string, ...string[]] {
  const lives = `echo $$ >> '${file}'; exec tail -f /dev/null`;
  return ["sh", "-c", `${ignoring ? "trap '' TERM; " : ""}sh -c "$0" & ${lives}`, lives];
}

/** Starts a program that says "ready" on standard output, and waits for it. Ended with the test. */
export async function startReady(
  program: string,
  options: { cwd?: string; env?: Record<string, string>; detached?: boolean } = {},
): Promise<ChildProcess & { pid: number }> {
  const [command, ...args] = node(`${program}\nconsole.log("ready");`);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], env: {}, ...options });
  atEnd(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  if (child.pid === undefined) throw new Error("not started");
  return Object.assign(child, { pid: child.pid });
}

export function isAlive(pid: number): boolean {
  return livenessOf(identityOf(pid)) === "alive";
}

/** The process ids that a program wrote to this file, once there are `count` of them. */
export async function pidsIn(file: string, count: number): Promise<number[]> {
  for (let tries = 0; tries < 6_000; tries++) {
    const lines = existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          .filter((line) => line !== "")
      : [];
    if (lines.length >= count) return lines.map(Number);
    await delay(5);
  }
  throw new Error(`${file} never had ${count} process ids`);
}
