import type { ExitCode } from "../domain/index.ts";
import { registerPool } from "./commands/pool.ts";
import * as commandLine from "./main.ts";

/** The pool's verbs alone, for those that are called often (bin/start.js): half of a start is loading the rest. */
export function main(argv: readonly string[], program: commandLine.Program): Promise<ExitCode> {
  return commandLine.main(argv, program, [registerPool]);
}
