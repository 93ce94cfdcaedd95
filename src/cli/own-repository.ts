import { openRepository, type Repository } from "../git/index.ts";
import type { Shell } from "./shell.ts";

const opened = new WeakMap<Shell, Promise<Repository>>();

/** Finds the repository of the shell's folder, and remembers it for the shell. Throws what `openRepository` throws. */
export function ownRepository(shell: Shell): Promise<Repository> {
  const known = opened.get(shell);
  if (known !== undefined) return known;
  const found = openRepository(shell.cwd, { parentEnv: shell.env, onCommand: gitTrace(shell) });
  opened.set(shell, found);
  return found;
}

/** `GRAFTWORK_DEBUG=git`: each git command with its time, on stderr. */
function gitTrace(shell: Shell): (argv: readonly string[], code: number | null, durationMs: number) => void {
  const on = (shell.env["GRAFTWORK_DEBUG"] ?? "").split(",").includes("git");
  return (argv, code, durationMs) => {
    if (on) shell.note(`git[${durationMs.toFixed(1)} ms, ${code}] ${argv.slice(1).join(" ")}`);
  };
}
