import { createHash } from "node:crypto";
import { type AgentSpec, type Config, commandText, type Governed, type GovernedText } from "../domain/index.ts";

/** `own`: the configuration without the repository's file. `presets`: agents that no file changes. */
type Governing = { config: Config; own: Config; presets: readonly string[]; templates: readonly Governed[] };

/** Returns what a configuration runs or tells agents, except what the user's own file says. The choice of a preset does not count. */
export function governedBy({ config, own, presets, templates }: Governing): Governed[] {
  const chosen = presets.flatMap((text) => CHOICES.map((key) => ({ key, text })));
  const known = new Set([...entriesOf(own), ...chosen].map(identity));
  return [...entriesOf(config).filter((one) => !known.has(identity(one))), ...templates];
}

/** A fingerprint of all of it, in order. An approval counts for this and for nothing else. */
export function digestOf(governed: readonly GovernedText[]): string {
  return createHash("sha256")
    .update(JSON.stringify(governed.map(identity)))
    .digest("hex")
    .slice(0, 32);
}

const identity = ({ key, text }: GovernedText): string => JSON.stringify([key, text]);

const CHOICES = ["merge.agent", "agents.default"] as const;

function entriesOf({ pool, qa, merge, agents }: Config): Governed[] {
  const { setup } = pool;
  return [
    ...entry("pool.dir", "where slots lie", pool.dir === null ? [] : [pool.dir]),
    ...entry("pool.copy", "untracked files of yours that each slot gets a copy of", pool.copy),
    ...entry("pool.setup", "to set up each slot", typeof setup === "string" ? [] : setup.map(commandText)),
    ...Object.entries(pool.env).flatMap(([name, value]) => entry(`pool.env.${name}`, "a variable for all that runs in slots", [value])),
    ...entry(
      "qa.checks",
      "to check each task's work, and what is merged",
      qa.checks.map(({ run }) => commandText(run)),
    ),
    ...entry("qa.allow_scripts", "packages whose install scripts run", qa.allowScripts),
    ...entry("qa.env", "variables of yours that checks get", qa.env),
    ...Object.entries(merge.generated).flatMap(([glob, run]) =>
      entry(`merge.generated ${glob}`, "to make files anew after a merge", [commandText(run)]),
    ),
    ...entry(CHOICES[0], "the agent that resolves conflicts", merge.agent === null ? [] : [merge.agent]),
    ...entry(CHOICES[1], "the agent of tasks that name none", [agents.default]),
    ...Object.values(agents.byName).flatMap(agentEntries),
  ];
}

function agentEntries({ name, command, prompt, resume, env, setEnv, rateLimit }: AgentSpec): Governed[] {
  const key = `agents.${name}`;
  return [
    ...entry(`${key}.command`, `to start the agent ${name}`, [commandText(command)]),
    ...(prompt === "argument" ? entry(`${key}.prompt`, `how the agent ${name} gets its brief; other users see that`, [prompt]) : []),
    ...entry(`${key}.resume`, `to go on with the agent ${name}`, resume === null ? [] : [commandText(resume)]),
    ...entry(`${key}.env`, `variables of yours that the agent ${name} gets`, env),
    ...Object.entries(setEnv).flatMap(([variable, value]) =>
      entry(`${key}.set_env.${variable}`, `a variable for the agent ${name}`, [value]),
    ),
    ...entry(`${key}.rate_limit`, `how the agent ${name} says that it must wait`, rateLimit === null ? [] : [rateLimit]),
  ];
}

function entry(key: string, purpose: string, lines: readonly string[]): Governed[] {
  return lines.length === 0 ? [] : [{ key, purpose, text: lines.join("\n") }];
}
