import { join } from "node:path";
import { presets } from "../agents/index.ts";
import { type LoadedConfig, loadConfig } from "../config/index.ts";
import { requireRunId } from "../domain/index.ts";
import { type PoolContext, shellOwner } from "../pool/index.ts";
import { ownRepository } from "./own-repository.ts";
import { packageRoot } from "./package-files.ts";
import type { Shell } from "./shell.ts";

/** A repository with its configuration, as every verb needs them. */
export type Opened = { context: PoolContext; loaded: LoadedConfig };

/** Finds the repository from the current folder and reads its configuration; the caller is a shell. */
export async function openPoolContext(shell: Shell): Promise<Opened> {
  const repository = await ownRepository(shell);
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
