import * as v from "valibot";
import type { AgentSpec } from "../domain/index.ts";
import { argv, checkedText, duration, durationOrOff, type Kind, listOf, oneOf, size, text, textMap } from "./setting-kinds.ts";

const pattern = checkedText((value) => {
  try {
    // Compiled for the error alone.
    "".search(value);
    return undefined;
  } catch (error) {
    return `must be a regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
});

/** The keys of one agent in the file. */
export const AGENT_KINDS = {
  command: argv,
  prompt: oneOf(["stdin", "argument", "file"]),
  output: oneOf(["text", "claude-stream-json", "codex-json"], ["opencode-json", "gemini-stream-json"]),
  resume: listOf(text),
  env: listOf(text),
  set_env: textMap,
  rate_limit: pattern,
  timeout: duration,
  idle_timeout: durationOrOff,
  output_max: size,
  permissions: text,
} as const satisfies Record<string, Kind<unknown>>;

export const AGENT_KEYS = Object.keys(AGENT_KINDS) as (keyof typeof AGENT_KINDS)[];
export const AGENT_KEYS_NOT_YET: readonly string[] = ["price", "sandbox"];
export const AGENT_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,48}[A-Za-z0-9])?$/;

const { command, prompt, output, resume, env, set_env, rate_limit, timeout, idle_timeout, output_max, permissions } = AGENT_KINDS;
export const agentSchema = v.object({
  command: v.nullish(command.schema),
  prompt: v.nullish(prompt.schema),
  output: v.nullish(output.schema),
  resume: v.nullish(resume.schema),
  env: v.nullish(env.schema),
  set_env: v.nullish(set_env.schema),
  rate_limit: v.nullish(rate_limit.schema),
  timeout: v.nullish(timeout.schema),
  idle_timeout: v.nullish(idle_timeout.schema),
  output_max: v.nullish(output_max.schema),
  permissions: v.nullish(permissions.schema),
});
export type AgentEntry = v.InferOutput<typeof agentSchema>;

const IDLE_TIMEOUT_MS = 5 * 60_000;

/** An agent of the file laid over the preset of its name; null: a new name without a command. */
export function agentOf(name: string, entry: AgentEntry, preset: AgentSpec | undefined): AgentSpec | null {
  const argvOf = entry.command ?? preset?.command;
  if (argvOf === undefined) return null;
  const outputOf = entry.output ?? preset?.output ?? "text";
  // A client that prints its answer only at the end is silent until then: silence says nothing about it.
  const idle = outputOf === "text" ? null : IDLE_TIMEOUT_MS;
  return {
    name,
    command: argvOf,
    prompt: entry.prompt ?? (preset === undefined ? promptOf(argvOf) : preset.prompt),
    output: outputOf,
    resume: entry.resume == null ? (preset?.resume ?? null) : entry.resume.length === 0 ? null : entry.resume,
    env: entry.env ?? preset?.env ?? [],
    setEnv: entry.set_env ?? preset?.setEnv ?? {},
    rateLimit: entry.rate_limit ?? preset?.rateLimit ?? null,
    timeoutMs: entry.timeout ?? preset?.timeoutMs ?? 30 * 60_000,
    idleTimeoutMs:
      entry.idle_timeout === "off"
        ? null
        : (entry.idle_timeout ?? (preset === undefined || entry.output != null ? idle : preset.idleTimeoutMs)),
    outputMaxBytes: entry.output_max ?? preset?.outputMaxBytes ?? 50 * 2 ** 20,
    // What a preset promises holds for its own command line only.
    permissions: entry.permissions ?? (entry.command == null ? preset?.permissions : undefined) ?? "graftwork sets it no limits",
  };
}

/** A new agent's prompt travels where its command line has a place for it. */
function promptOf(command: readonly string[]): AgentSpec["prompt"] {
  if (command.includes("{prompt}")) return "argument";
  return command.includes("{brief}") ? "file" : "stdin";
}
