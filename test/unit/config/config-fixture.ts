import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConfigRequest, type LoadedConfig, loadConfig } from "../../../src/config/index.ts";
import { type AgentSpec, GraftworkError } from "../../../src/domain/index.ts";
import { tempFolder } from "../../fixtures/index.ts";

export const claude: AgentSpec = {
  name: "claude",
  command: ["claude", "-p"],
  prompt: "stdin",
  output: "claude-stream-json",
  resume: ["--resume", "{session}"],
  env: ["ANTHROPIC_*"],
  setEnv: {},
  rateLimit: "limit",
  timeoutMs: 1_800_000,
  idleTimeoutMs: 300_000,
  outputMaxBytes: 50 * 2 ** 20,
  permissions: "edits",
};

/** A folder with this configuration in it; undefined: without one. */
export function folderWith(text: string | undefined): string {
  const root = tempFolder("config");
  if (text === undefined) return root;
  mkdirSync(join(root, ".claude"));
  writeFileSync(join(root, ".claude", "auto-context.yaml"), text);
  return root;
}

export function load(text: string | undefined, more: Partial<ConfigRequest> = {}): Promise<LoadedConfig> {
  return loadConfig({ root: folderWith(text), env: {}, presets: { claude }, ...more });
}

/** The reasons of the refusal, a line each. */
export async function refusal(text: string | undefined, more: Partial<ConfigRequest> = {}): Promise<string> {
  try {
    await load(text, more);
  } catch (error) {
    if (error instanceof GraftworkError && error.code === "CONFIG_INVALID") return error.because;
    throw error;
  }
  throw new Error("the configuration was taken");
}
