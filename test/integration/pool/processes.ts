import { spawn } from "node:child_process";
import { once } from "node:events";
import { atEnd } from "../../fixtures/index.ts";

export type Started = { pid: number; isAlive: () => boolean; end: () => Promise<void> };

/** A program that does nothing for a minute, in this folder and with these variables; ends with the test. */
export function startedIn(cwd: string, env: Readonly<Record<string, string>>): Started {
  const child = spawn("sleep", ["60"], { cwd, stdio: "ignore", env: { PATH: process.env["PATH"] ?? "", ...env } });
  const ended = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  atEnd(end);
  return { pid: child.pid ?? 0, isAlive: () => child.exitCode === null && child.signalCode === null, end };
}
