import { Command, CommanderError } from "commander";
import { EXIT, type ExitCode, GraftworkError } from "../domain/index.ts";
import { makeShell, reportError } from "./shell.ts";
import type { Register } from "./verb.ts";

declare const GRAFTWORK_VERSION: string;

export type Program = "graftwork" | "pool-manager";

/** Runs one command line and returns its exit code. `pool-manager VERB` is `graftwork pool VERB`. */
export async function main(argv: readonly string[], program: Program, verbs: readonly Register[]): Promise<ExitCode> {
  const json = argv.includes("--json");
  const shell = makeShell(json);
  let exit: ExitCode = EXIT.ok;
  const root = new Command("graftwork")
    .description("A pool of git worktrees and a merge coordinator for fleets of coding agents.")
    .version(GRAFTWORK_VERSION)
    .exitOverride()
    .configureOutput({ writeOut: (text) => shell.write(text), writeErr: () => undefined })
    .showSuggestionAfterError(true);
  for (const register of verbs) {
    register(root, shell, async (work) => {
      exit = await work();
    });
  }
  root.hook("preAction", async (_, command) => (await import("./caller.ts")).requireRightful(shell, command));
  ready(root, json);
  try {
    await root.parseAsync(fullArguments(argv, program), { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      return reportError(shell, usage(error, program));
    }
    return reportError(shell, error);
  }
}

/** The verb that a bare group of verbs means. */
const DEFAULTS: Readonly<Record<string, string>> = { pool: "status", rescue: "list", runs: "list", conflicts: "list", trust: "show" };

/** `pool-manager VERB` is `graftwork pool VERB`, and a group of verbs alone means its default one. */
function fullArguments(argv: readonly string[], program: string): string[] {
  const words = program === "pool-manager" ? ["pool", ...argv] : [...argv];
  const last = words.findLastIndex((word) => word !== "--json");
  const verb = DEFAULTS[words[last] ?? ""];
  const bare = words.every((word) => word === "--json" || word in DEFAULTS);
  return verb !== undefined && bare ? [...words.slice(0, last + 1), verb, ...words.slice(last + 1)] : words;
}

/** Every command takes `--json` and throws instead of exiting. */
function ready(command: Command, json: boolean): void {
  command.exitOverride();
  if (command.commands.length === 0) command.option("--json", "print one JSON object on stdout", json);
  for (const one of command.commands) {
    one.configureOutput(command.configureOutput());
    ready(one, json);
  }
}

function usage(error: CommanderError, program: string): GraftworkError {
  const said = error.message.replace(/^error: /, "").replace(/\n.*$/s, "");
  const hint = /\(Did you mean (.*)\?\)/.exec(error.message)?.[1];
  return new GraftworkError("USAGE", {
    message:
      error.code === "commander.help" ? "A command is missing." : `${said.charAt(0).toUpperCase()}${said.slice(1).replace(/\.?$/, ".")}`,
    because: hint === undefined ? "the command line does not fit the command." : `did you mean ${hint}?`,
    try: `\`${program} --help\` shows the commands, \`${program} COMMAND --help\` one of them.`,
  });
}
