import { createHash } from "node:crypto";
import { type AgentSpec, type Config, commandText } from "../domain/index.ts";

/** One thing of a repository that graftwork runs, or hands to an agent as its instructions. */
export type Governed = {
  /** Where it stands: a key of the configuration, or the path of a template. */
  key: string;
  /** What is run, a command a line; or the template's text. */
  text: string;
};

/**
 * Everything that a configuration runs or gives to agents and that is not the user's own word. `own`: the configuration
 * without the repository's file.
 */
export function governedBy({ config, own, templates }: { config: Config; own: Config; templates: readonly Governed[] }): Governed[] {
  const known = new Set(entriesOf(own).map(identity));
  return [...entriesOf(config).filter((one) => !known.has(identity(one))), ...templates];
}

/** A fingerprint of all of it, in order. An approval counts for this and for nothing else. */
export function digestOf(governed: readonly Governed[]): string {
  return createHash("sha256")
    .update(JSON.stringify(governed.map(identity)))
    .digest("hex")
    .slice(0, 32);
}

const identity = ({ key, text }: Governed): string => JSON.stringify([key, text]);

function entriesOf({ pool, qa, merge, agents }: Config): Governed[] {
  const { setup } = pool;
  return [
    ...entry("pool.dir", pool.dir === null ? [] : [pool.dir]),
    ...entry("pool.setup", typeof setup === "string" ? [] : setup.map(commandText)),
    ...Object.entries(pool.env).flatMap(([name, value]) => entry(`pool.env.${name}`, [value])),
    ...entry(
      "qa.checks",
      qa.checks.map(({ run }) => commandText(run)),
    ),
    ...entry("qa.allow_scripts", qa.allowScripts),
    ...entry("qa.env", qa.env),
    ...Object.entries(merge.generated).flatMap(([glob, run]) => entry(`merge.generated ${glob}`, [commandText(run)])),
    ...Object.values(agents.byName).flatMap(agentEntries),
  ];
}

function agentEntries({ name, command, resume, env, setEnv, rateLimit }: AgentSpec): Governed[] {
  const key = `agents.${name}`;
  return [
    ...entry(`${key}.command`, [commandText(command)]),
    ...entry(`${key}.resume`, resume === null ? [] : [commandText(resume)]),
    ...entry(`${key}.env`, env),
    ...Object.entries(setEnv).flatMap(([variable, value]) => entry(`${key}.set_env.${variable}`, [value])),
    ...entry(`${key}.rate_limit`, rateLimit === null ? [] : [rateLimit]),
  ];
}

function entry(key: string, lines: readonly string[]): Governed[] {
  return lines.length === 0 ? [] : [{ key, text: lines.join("\n") }];
}
