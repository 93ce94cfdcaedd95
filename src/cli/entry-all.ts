import type { ExitCode } from "../domain/index.ts";
import { registerHook } from "./commands/hook.ts";
import { registerLook } from "./commands/look.ts";
import { registerPool } from "./commands/pool.ts";
import { registerRun } from "./commands/run.ts";
import { registerTrust } from "./commands/trust.ts";
import * as commandLine from "./main.ts";

/** The whole command line: what `dist/cli.cjs` is made from. */
export function main(argv: readonly string[], program: commandLine.Program): Promise<ExitCode> {
  return commandLine.main(argv, program, [registerRun, registerLook, registerPool, registerHook, registerTrust]);
}
