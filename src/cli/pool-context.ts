import { join } from "node:path";
import { presets } from "../agents/index.ts";
import { type LoadedConfig, loadConfig } from "../config/index.ts";
import { requireRunId } from "../domain/index.ts";
import { openRepository } from "../git/index.ts";
import { type PoolContext, shellOwner } from "../pool/index.ts";
import { packageRoot } from "./package-files.ts";
import type { Shell } from "./shell.ts";

/** A repository with its configuration, as every verb needs them. */
export type Opened = { context: PoolContext; loaded: LoadedConfig };

/** Finds the repository from the current folder and reads its configuration; the caller is a shell. */
export async function openPoolContext(shell: Shell): Promise<Opened> {
  const repository = await openRepository(shell.cwd, { parentEnv: shell.env, onCommand: gitTrace(shell) });
  const loaded = await loadConfig({
    root: repository.root,
    env: shell.env,
    presets: presets({
      parentEnv: shell.env,
      mockAgentPath: join(packageRoot(), "templates", "mock-agent.mjs"),
      nodePath: process.execPath,
    }),
  });
  for (const warning of loaded.warnings) shell.note(`warning: ${warning}`);
  const context: PoolContext = {
    repository,
    settings: loaded.config.pool,
    owner: shellOwner(shell.env),
    run: requireRunId(shell.env["GRAFTWORK_RUN"] || "shell"),
    now: () => new Date(),
    narrate: shell.note,
  };
  return { context, loaded };
}

/** `GRAFTWORK_DEBUG=git`: each git command with its time, on stderr. */
function gitTrace(shell: Shell): (argv: readonly string[], code: number | null, durationMs: number) => void {
  const on = (shell.env["GRAFTWORK_DEBUG"] ?? "").split(",").includes("git");
  return (argv, code, durationMs) => {
    if (on) shell.note(`git[${durationMs.toFixed(1)} ms, ${code}] ${argv.slice(1).join(" ")}`);
  };
}
