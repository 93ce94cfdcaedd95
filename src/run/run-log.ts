import { join } from "node:path";
import { openCappedLog } from "../subprocess/index.ts";
import type { RunRecord } from "./run-folder.ts";
import type { RunHost } from "./run-session.ts";

const LOG_BYTES = 30 * 1024 * 1024;

/**
 * Runs `work` with every git command of it in `graftwork.<epoch>.log` of the run's folder: argv, exit code and time as
 * one JSON line each. No prompt and no environment value is in it.
 */
export async function withRunLog<Result>(
  host: RunHost,
  record: RunRecord,
  epoch: number,
  work: (host: RunHost) => Promise<Result>,
): Promise<Result> {
  const log = openCappedLog(join(record.folder, `graftwork.${epoch}.log`), LOG_BYTES);
  const { onCommand } = host.repository;
  const noted: RunHost["repository"]["onCommand"] = (argv, code, durationMs) => {
    log.write(`${JSON.stringify({ at: host.now().toISOString(), argv, code, ms: Math.round(durationMs * 10) / 10 })}\n`);
    onCommand?.(argv, code, durationMs);
  };
  try {
    return await work({ ...host, repository: { ...host.repository, onCommand: noted } });
  } finally {
    log.close();
  }
}
