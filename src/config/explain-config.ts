import { type AgentSpec, type Config, cleanText } from "../domain/index.ts";
import type { AGENT_KINDS } from "./agent-settings.ts";
import type { LoadedConfig } from "./load-config.ts";
import type { SettingKey } from "./settings.ts";

/** `key = value  (origin)`, a line for every effective value. */
export function explainConfig(loaded: Pick<LoadedConfig, "config" | "origins">): string[] {
  const { config, origins } = loaded;
  const agents = Object.values(config.agents.byName).flatMap((agent) =>
    Object.entries(agentValues(agent)).map(([key, value]) => [`agents.${agent.name}.${key}`, value] as const),
  );
  return [...Object.entries(valuesOf(config)), ...agents].map(([key, value]) => `${key} = ${show(value)}  (${origins[key] ?? "default"})`);
}

function valuesOf(config: Config): Record<SettingKey, unknown> {
  const { parallelization, pool, qa } = config;
  return {
    "parallelization.enabled": parallelization.enabled,
    "parallelization.min_tasks": parallelization.minTasks,
    "parallelization.max_agents": parallelization.maxAgents,
    "parallelization.auto_cleanup": parallelization.autoCleanup,
    "parallelization.retry_on_failure": parallelization.retryOnFailure,
    "pool.size": pool.size,
    "pool.dir": pool.dir ?? "../<repository>.pool",
    "pool.branch_prefix": pool.branchPrefix,
    "pool.copy": pool.copy,
    "pool.setup": pool.setup,
    "pool.keep": pool.keep,
    "pool.ports": pool.ports,
    // The names only, as for agents.
    "pool.env": Object.keys(pool.env),
    "pool.ttl": durationText(pool.ttlMs),
    "pool.trash_max": sizeText(pool.trashMaxBytes),
    "pool.rescue_max_file": sizeText(pool.rescueMaxFileBytes),
    "pool.rescue_max": sizeText(pool.rescueMaxBytes),
    schedule: config.schedule,
    "qa.checks": qa.checks.map((check) => check.run),
    "qa.allow_scripts": qa.allowScripts,
    "qa.env": qa.env,
    "qa.slots": qa.slots,
    "merge.on_conflict": config.merge.onConflict,
    "merge.agent": config.merge.agent ?? config.agents.default,
    "merge.level": config.merge.level,
    "merge.strategy": config.merge.strategy,
    "merge.union": config.merge.union,
    "merge.generated": config.merge.generated,
    "run.confirm": config.run.confirm,
    "agents.default": config.agents.default,
  };
}

function agentValues(agent: AgentSpec): Record<keyof typeof AGENT_KINDS, unknown> {
  return {
    command: agent.command,
    prompt: agent.prompt,
    output: agent.output,
    resume: agent.resume ?? [],
    env: agent.env,
    // The names only: values may be secrets, and this is printed into reports.
    set_env: Object.keys(agent.setEnv),
    rate_limit: agent.rateLimit ?? "none",
    timeout: durationText(agent.timeoutMs),
    idle_timeout: agent.idleTimeoutMs === null ? "off" : durationText(agent.idleTimeoutMs),
    output_max: sizeText(agent.outputMaxBytes),
    permissions: agent.permissions,
  };
}

function show(value: unknown): string {
  return cleanText(typeof value === "string" ? value : JSON.stringify(value)).replaceAll("\n", " ");
}

/** Bytes as the file would say them. */
function sizeText(bytes: number): string {
  for (const [unit, factor] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

function durationText(ms: number): string {
  for (const [unit, factor] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const) {
    if (ms >= factor && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return `${ms}ms`;
}
