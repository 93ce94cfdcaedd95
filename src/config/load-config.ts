import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import {
  type AgentSpec,
  type Config,
  count,
  didYouMean,
  type Finding,
  findingLines,
  GraftworkError,
  schemaFinding,
  type YamlText,
} from "../domain/index.ts";
import { AGENT_KEYS, AGENT_NAME, agentOf, agentSchema } from "./agent-settings.ts";
import { keyFindings, mapOf, nearMisses } from "./config-findings.ts";
import { configOf } from "./config-of.ts";
import { readConfigFile } from "./read-config-file.ts";
import { SETTING_KEYS, SETTINGS, type SettingKey, type SettingValues } from "./settings.ts";

export type Origin = "default" | "file" | "environment" | "flag";
export type LoadedConfig = {
  config: Config;
  /** Where each value comes from, by its key in the file (`pool.size`, `agents.claude.timeout`). */
  origins: Readonly<Record<string, Origin>>;
  /** The file that was read; null: there is none. */
  path: string | null;
  warnings: readonly string[];
};
export type ConfigRequest = {
  /** The main worktree's folder. */
  root: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Agents that need no configuration; entries of the file are laid over them. */
  presets: Readonly<Record<string, AgentSpec>>;
  /** Values given on the command line, as text or as the file would say them. */
  flags?: Readonly<Partial<Record<SettingKey, unknown>>>;
};

/** Where the configuration is, as messages name it. */
const FILE = ".claude/auto-context.yaml";

/** Flags over environment over file over default. Throws CONFIG_INVALID with everything that is wrong. */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const path = join(request.root, FILE);
  const read = await readConfigFile(path);
  if (read !== null && read.value === undefined) throw configInvalid(read.findings);
  const findings: Finding[] = read === null ? [] : [...read.findings, ...keyFindings(read)];
  const origins: Record<string, Origin> = {};
  const values: Record<string, unknown> = {};
  for (const key of SETTING_KEYS) {
    const { value, origin } = settle(key, request, read, findings);
    values[key] = value;
    origins[key] = origin;
  }
  const agents = mergeAgents(request, read, origins, findings);
  if (findings.length > 0) throw configInvalid(findings);
  const settled = values as SettingValues;
  const unknown = (["agents.default", "merge.agent"] as const).flatMap((key) => {
    const name = settled[key];
    const isKnown = name === null || Object.hasOwn(agents, name);
    return isKnown ? [] : [unknownAgent(key, name, Object.keys(agents), origins[key] === "file" ? read : null)];
  });
  if (unknown.length > 0) throw configInvalid(unknown);
  return {
    config: configOf(settled, agents),
    origins,
    path: read === null ? null : path,
    warnings: read === null ? [] : nearMisses(read, FILE),
  };
}

/** The value of one key, by the first source that has it; what is wrong with any source is noted. */
function settle(key: SettingKey, request: ConfigRequest, read: YamlText | null, findings: Finding[]): { value: unknown; origin: Origin } {
  const { kind, fallback, env } = SETTINGS[key];
  const schema: v.GenericSchema<unknown, unknown> = kind.schema;
  let settled: { value: unknown; origin: Origin } = { value: key === "qa.slots" ? availableParallelism() : fallback, origin: "default" };
  const keys = key.split(".");
  const inFile = read === null ? undefined : keys.reduce<unknown>((value, part) => ownOf(value, part), read.value);
  if (read !== null && inFile !== undefined && inFile !== null) {
    const result = v.safeParse(schema, inFile);
    if (result.success) settled = { value: result.output, origin: "file" };
    else findings.push(...result.issues.map((issue) => schemaFinding(read, issue, keys)));
  }
  const outer: [origin: Origin, name: string, value: unknown][] = [
    ["environment", env ?? "", env === null ? undefined : request.env[env]],
    ["flag", key, request.flags?.[key]],
  ];
  for (const [origin, name, value] of outer) {
    if (value === undefined || value === "") continue;
    const result = v.safeParse(schema, typeof value === "string" ? kind.fromText(value) : value);
    if (result.success) settled = { value: result.output, origin };
    else findings.push(...result.issues.map((issue) => outside(origin, name, issue)));
  }
  return settled;
}

/** A complaint about a variable or flag: there is no place in the file to point to. */
function outside(origin: Origin, name: string, issue: Parameters<typeof schemaFinding>[1]): Finding {
  const nowhere: YamlText = {
    value: null,
    findings: [],
    written: () => undefined,
    finding: (_, message) => ({ line: 1, column: 1, path: name, message }),
  };
  const { message } = schemaFinding(nowhere, issue);
  const what = origin === "environment" ? `the variable ${name}` : `the flag for ${name}`;
  return { file: what, line: 0, column: 0, path: name, message: `${what} ${message.replace(/^(?:the document|`[^`]*`) /, "")}` };
}

function mergeAgents(
  request: ConfigRequest,
  read: YamlText | null,
  origins: Record<string, Origin>,
  findings: Finding[],
): Record<string, AgentSpec> {
  // No prototype: a task may ask for an agent called `constructor`.
  const agents: Record<string, AgentSpec> = Object.assign(Object.create(null) as Record<string, AgentSpec>, request.presets);
  for (const name of Object.keys(agents)) for (const key of AGENT_KEYS) origins[`agents.${name}.${key}`] = "default";
  const entries = mapOf(ownOf(read?.value, "agents")) ?? {};
  for (const [name, value] of Object.entries(entries)) {
    const entry = mapOf(value);
    if (read === null || entry === null || name === "default" || !AGENT_NAME.test(name)) continue;
    const result = v.safeParse(agentSchema, entry);
    if (!result.success) {
      findings.push(...result.issues.map((issue) => schemaFinding(read, issue, ["agents", name])));
      continue;
    }
    const preset = Object.hasOwn(request.presets, name) ? request.presets[name] : undefined;
    const agent = agentOf(name, result.output, preset);
    if (agent === null) {
      const hint = didYouMean(name, Object.keys(request.presets));
      findings.push(
        read.finding(["agents", name], `\`agents.${name}\` is a new agent and needs a \`command\`, a list of arguments${hint}`, "key"),
      );
      continue;
    }
    agents[name] = agent;
    for (const key of AGENT_KEYS) origins[`agents.${name}.${key}`] = entry[key] == null ? "default" : "file";
  }
  const program = request.env["CLAUDE_CODE"];
  const claude = agents["claude"];
  if (program !== undefined && program !== "" && claude !== undefined) {
    agents["claude"] = { ...claude, command: [program, ...claude.command.slice(1)] };
    origins["agents.claude.command"] = "environment";
  }
  return agents;
}

function unknownAgent(key: SettingKey, name: string, known: readonly string[], read: YamlText | null): Finding {
  const message = `there is no agent \`${name}\`: there are ${known.join(", ")}${didYouMean(name, known)}`;
  return read?.finding(key.split("."), message) ?? { line: 0, column: 0, path: key, message };
}

function ownOf(value: unknown, key: string): unknown {
  const map = mapOf(value);
  return map !== null && Object.hasOwn(map, key) ? map[key] : undefined;
}

function configInvalid(findings: readonly Finding[]): GraftworkError {
  const inFile = findings.filter((f) => f.line > 0).sort((a, b) => a.line - b.line || a.column - b.column);
  const outer = findings.filter((f) => f.line === 0);
  const lines = [...(inFile.length > 0 ? [findingLines(FILE, inFile)] : []), ...outer.map((f) => f.message)];
  return new GraftworkError("CONFIG_INVALID", {
    message: `The configuration cannot be used: ${count(findings.length, "thing")} to mend.`,
    because: lines.join("\n"),
    try:
      inFile.length > 0
        ? `mend ${FILE}, then see the result with \`graftwork config\`.`
        : "mend or unset them, then see the result with `graftwork config`.",
    details: { findings: [...inFile, ...outer] },
  });
}
