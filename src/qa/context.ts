import type { Check, Config } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";

/** What judging needs from its caller: a run, or a command by hand. */
export type QaContext = {
  repository: Repository;
  /** The run's id, or `shell`. */
  run: string;
  /** Absolute folder for the logs of this run; a check's is `<logs>/qa/<label>/<n>-<check>.log`. */
  logs: string;
  settings: Config["qa"];
  /** Variables of all checks, with fixed values (`pool.env`). */
  setEnv: Config["pool"]["env"];
  /** The checks for these tasks (the plan's and the tasks' own), in order; empty: from configuration or package scripts. */
  checksFor: (tasks: readonly string[]) => readonly Check[];
  /**
   * Those of them that only the tasks bring. They may be red until the work is done, so that one that fails is the
   * work's fault, whatever it says on the base.
   */
  ownChecks?: (tasks: readonly string[]) => readonly Check[];
  now: () => Date;
};
