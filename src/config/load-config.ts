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
import { requireWithin, userFolder } from "../state/index.ts";
import { AGENT_KEYS, AGENT_NAME, agentOf, agentSchema } from "./agent-settings.ts";
import { keyFindings, mapOf, nearMisses } from "./config-findings.ts";
import { configOf } from "./config-of.ts";
import { readConfigFile } from "./read-config-file.ts";
import { SETTING_KEYS, SETTINGS, type SettingKey, type SettingValues } from "./settings.ts";

/** `user`: the user's own file. The repository's file wins over it. */
export type Origin = "default" | "user" | "file" | "environment" | "flag";
export type LoadedConfig = {
  config: Config;
  /** The configuration without the repository's file: the user wrote all of it. */
  own: Config;
  /** Presets that neither configuration file changes. */
  presets: readonly string[];
  /** Where each value comes from, by its key in the file (`pool.size`, `agents.claude.timeout`). */
  origins: Readonly<Record<string, Origin>>;
  /** Path of the repository's file; null if it has none. */
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

/** Where the repository's configuration is, as messages name it. */
const FILE = ".claude/auto-context.yaml";

/** One file of settings, and what is wrong in it. */
type Layer = { origin: "user" | "file"; name: string; read: YamlText; findings: Finding[] };

/**
 * Flags over environment over the repository's file over the user's own over default. Throws CONFIG_INVALID with
 * everything that is wrong.
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const path = join(request.root, FILE);
  const userPath = userConfig(request.env);
  const [user, file] = await Promise.all([
    userPath === undefined ? null : layerOf("user", userPath, userPath),
    layerOf("file", FILE, path, request.root),
  ]);
  const { config, origins } = settleAll(request, [file, user]);
  requireAgents(config, origins, [file, user]);
  const own = file === null ? config : settleAll(request, [user]).config;
  return {
    config,
    own,
    presets: Object.keys(request.presets).filter(
      (name) => !AGENT_KEYS.some((key) => ["user", "file"].includes(origins[`agents.${name}.${key}`] ?? "")),
    ),
    origins,
    path: file === null ? null : path,
    warnings: [user, file].flatMap((layer) => (layer === null ? [] : nearMisses(layer.read, layer.name))),
  };
}

/** The user's own file; undefined if the environment names no home. */
export function userConfig(env: ConfigRequest["env"]): string | undefined {
  if (!env["HOME"] && !env["XDG_CONFIG_HOME"]) return undefined;
  return join(userFolder(env, "XDG_CONFIG_HOME", ".config"), "graftwork", "config.yaml");
}

/** `root`: the folder that no link may lead out of. */
async function layerOf(origin: Layer["origin"], name: string, path: string, root?: string): Promise<Layer | null> {
  if (root !== undefined) requireWithin(root, path);
  const read = await readConfigFile(path);
  if (read === null) return null;
  const layer = { origin, name, read, findings: [...read.findings] };
  if (read.value === undefined) throw configInvalid([layer], []);
  layer.findings.push(...keyFindings(read));
  return layer;
}

/** The values of all keys and agents by these files; the first one that has a value counts. */
function settleAll(request: ConfigRequest, files: readonly (Layer | null)[]): { config: Config; origins: Record<string, Origin> } {
  const layers = files.filter((layer) => layer !== null);
  const outer: Finding[] = [];
  const origins: Record<string, Origin> = {};
  const values: Record<string, unknown> = {};
  for (const key of SETTING_KEYS) {
    const { value, origin } = settle(key, request, layers, outer);
    values[key] = value;
    origins[key] = origin;
  }
  const agents = mergeAgents(request, layers, origins);
  if ([outer, ...layers.map(({ findings }) => findings)].some(({ length }) => length > 0)) throw configInvalid(layers, outer);
  return { config: configOf(values as SettingValues, agents), origins };
}

/** Throws CONFIG_INVALID if a setting names an agent that is in no file. */
function requireAgents({ agents, merge }: Config, origins: Record<string, Origin>, files: readonly (Layer | null)[]): void {
  const named = { "agents.default": agents.default, "merge.agent": merge.agent };
  for (const [key, name] of Object.entries(named)) {
    if (name === null || Object.hasOwn(agents.byName, name)) continue;
    const layer = files.find((one) => one?.origin === origins[key]) ?? null;
    const finding = unknownAgent(key, name, Object.keys(agents.byName), layer?.read ?? null);
    throw layer === null ? configInvalid([], [finding]) : configInvalid([{ ...layer, findings: [finding] }], []);
  }
}

/** The value of one key, by the first source that has it; what is wrong with any source is noted. */
function settle(key: SettingKey, request: ConfigRequest, layers: readonly Layer[], outer: Finding[]): { value: unknown; origin: Origin } {
  const { kind, fallback, env } = SETTINGS[key];
  const schema: v.GenericSchema<unknown, unknown> = kind.schema;
  let settled: { value: unknown; origin: Origin } = { value: key === "qa.slots" ? availableParallelism() : fallback, origin: "default" };
  const keys = key.split(".");
  for (const { origin, read, findings } of layers.toReversed()) {
    const inFile = keys.reduce<unknown>((value, part) => ownOf(value, part), read.value);
    if (inFile === undefined || inFile === null) continue;
    const result = v.safeParse(schema, inFile);
    if (!result.success) findings.push(...result.issues.map((issue) => schemaFinding(read, issue, keys)));
    // A repository does not say whether its user is asked.
    else if (origin === "user" || key !== "run.confirm") settled = { value: result.output, origin };
  }
  const others: [origin: Origin, name: string, value: unknown][] = [
    ["environment", env ?? "", env === null ? undefined : request.env[env]],
    ["flag", key, request.flags?.[key]],
  ];
  for (const [origin, name, value] of others) {
    if (value === undefined || value === "") continue;
    const result = v.safeParse(schema, typeof value === "string" ? kind.fromText(value) : value);
    if (result.success) settled = { value: result.output, origin };
    else outer.push(...result.issues.map((issue) => outside(origin, name, issue)));
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

function mergeAgents(request: ConfigRequest, layers: readonly Layer[], origins: Record<string, Origin>): Record<string, AgentSpec> {
  // No prototype: a task may ask for an agent called `constructor`.
  const agents: Record<string, AgentSpec> = Object.assign(Object.create(null) as Record<string, AgentSpec>, request.presets);
  for (const name of Object.keys(agents)) for (const key of AGENT_KEYS) origins[`agents.${name}.${key}`] = "default";
  for (const layer of layers.toReversed()) layAgents(agents, layer, origins);
  const program = request.env["CLAUDE_CODE"];
  const claude = agents["claude"];
  if (program !== undefined && program !== "" && claude !== undefined) {
    agents["claude"] = { ...claude, command: [program, ...claude.command.slice(1)] };
    origins["agents.claude.command"] = "environment";
  }
  return agents;
}

/** Lays the agents of a file over those that are known so far. */
function layAgents(agents: Record<string, AgentSpec>, { origin, read, findings }: Layer, origins: Record<string, Origin>): void {
  const known = { ...agents };
  for (const [name, value] of Object.entries(mapOf(ownOf(read.value, "agents")) ?? {})) {
    const entry = mapOf(value);
    if (entry === null || name === "default" || !AGENT_NAME.test(name)) continue;
    const result = v.safeParse(agentSchema, entry);
    if (!result.success) {
      findings.push(...result.issues.map((issue) => schemaFinding(read, issue, ["agents", name])));
      continue;
    }
    const agent = agentOf(name, result.output, Object.hasOwn(known, name) ? known[name] : undefined);
    if (agent === null) {
      const hint = didYouMean(name, Object.keys(known));
      findings.push(
        read.finding(["agents", name], `\`agents.${name}\` is a new agent and needs a \`command\`, a list of arguments${hint}`, "key"),
      );
      continue;
    }
    agents[name] = agent;
    for (const key of AGENT_KEYS) if (entry[key] != null) origins[`agents.${name}.${key}`] = origin;
    for (const key of AGENT_KEYS) origins[`agents.${name}.${key}`] ??= "default";
  }
}

function unknownAgent(key: string, name: string, known: readonly string[], read: YamlText | null): Finding {
  const message = `there is no agent \`${name}\`: there are ${known.join(", ")}${didYouMean(name, known)}`;
  return read?.finding(key.split("."), message) ?? { line: 0, column: 0, path: key, message };
}

function ownOf(value: unknown, key: string): unknown {
  const map = mapOf(value);
  return map !== null && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Each thing that is wrong, at its place: in the files, then in variables and flags. */
function configInvalid(layers: readonly Layer[], outer: readonly Finding[]): GraftworkError {
  const inFiles = layers.map(({ origin, name, findings }) => {
    const sorted = findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
    // What names no file is in the repository's.
    return { name, findings: origin === "file" ? sorted : sorted.map((one) => ({ ...one, file: name })) };
  });
  const wrong = inFiles.filter(({ findings }) => findings.length > 0);
  const all = [...wrong.flatMap(({ findings }) => findings), ...outer];
  const lines = [...wrong.map(({ name, findings }) => findingLines(name, findings)), ...outer.map((one) => one.message)];
  const mend = wrong.length === 0 ? "mend or unset them" : `mend ${wrong.map(({ name }) => name).join(" and ")}`;
  return new GraftworkError("CONFIG_INVALID", {
    message: `The configuration cannot be used: ${count(all.length, "thing")} to mend.`,
    because: lines.join("\n"),
    try: `${mend}, then see the result with \`graftwork config\`.`,
    details: { findings: all },
  });
}
