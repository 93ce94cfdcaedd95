import type { Command } from "commander";
import type { ExitCode } from "../domain/index.ts";
import type { Shell } from "./shell.ts";

/** Runs a verb's work and keeps its exit code. */
export type Run = (work: () => Promise<ExitCode>) => Promise<void>;

/** Declares verbs on the command tree; what a verb does is imported when it runs. */
export type Register = (parent: Command, shell: Shell, run: Run) => void;
