import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One thing that a worker of the storm, or its controller, is about to do or has done; a line of a log. */
export type StormLine = {
  /** Milliseconds of the clock that all processes of a machine share and nobody can set back. */
  at: number;
  pid: number;
  what: Happening;
  slot?: string;
  token?: number;
  task?: string;
  /** Of a refusal, an error or a finding: what was said. */
  text?: string;
};

export type Happening =
  /** Before and after a pool function: only what stands after was acknowledged. */
  | "acquire"
  | "acquired"
  | "release"
  | "released"
  | "rob"
  | "robbed"
  | "heal"
  | "healed"
  /** An answer that a caller has to live with: full, taken by another. */
  | "refused"
  /** An error that no caller should meet. */
  | "failed"
  /** The worker's own file is in the slot, from here to `leaving`. */
  | "wrote"
  | "leaving"
  /** Somebody else's file is in the slot too; `text` names its token. */
  | "stranger"
  /** The truth says that the lease is another's: the worker touches nothing any more. */
  | "fenced"
  /** The worker's file is gone or changed although the truth says that the lease is its own. */
  | "trampled"
  /** A release by a token that was no longer the lease's did something. */
  | "stale-release"
  | "killed"
  | "stopped"
  | "continued";

/** Now, by the clock of `StormLine.at`. */
export function stormClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Appends a line in one write: what a killed process had logged is there, whole. */
export function writeLine(file: string, line: Omit<StormLine, "at" | "pid"> & { pid?: number }): void {
  appendFileSync(file, `${JSON.stringify({ at: stormClock(), pid: process.pid, ...line })}\n`);
}

/** All lines of all logs, in the order of the clock. */
export function readLines(folder: string): StormLine[] {
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const lines = files.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"));
  return lines
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text) as StormLine)
    .sort((a, b) => a.at - b.at);
}
