import type { Config, JudgedCheck, SecretValue } from "../domain/index.ts";
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
  /**
   * The checks that a tree must pass, in order: of the tasks that land now, and of those that landed before. `defaults`
   * are those of the configuration, else the package scripts of the base.
   */
  checksFor: (tree: { tasks: readonly string[]; earlier: readonly string[]; defaults: readonly JudgedCheck[] }) => readonly JudgedCheck[];
  /** Values that logs and excerpts must not hold. */
  secrets?: readonly SecretValue[];
  now: () => Date;
};
