import { AGENT_KEYS, AGENT_KINDS, AGENT_NAME } from "./agent-settings.ts";
import { SETTING_KEYS, SETTINGS } from "./settings.ts";

type Schema = Record<string, unknown>;

/** Their defaults are numbers to the program, and text with a unit in the file. */
const IN_OTHER_WORDS: ReadonlySet<string> = new Set(["pool.ttl", "pool.trash_max", "pool.rescue_max", "pool.rescue_max_file"]);

/** The JSON Schema of `.claude/auto-context.yaml`, for editors. Keys of other programs are allowed at the top. */
export function configJsonSchema(): Schema {
  const properties: Record<string, Schema> = {};
  for (const key of SETTING_KEYS) {
    const { kind, fallback, about } = SETTINGS[key];
    const [section = "", name] = key.split(".");
    const described = {
      ...orEmpty(kind.json),
      description: about,
      ...(key === "qa.slots" || IN_OTHER_WORDS.has(key) || fallback === null ? {} : { default: fallback }),
    };
    if (name === undefined) properties[section] = described;
    else {
      const map = (properties[section] ??= { type: ["object", "null"], additionalProperties: false, properties: {} });
      (map["properties"] as Schema)[name] = described;
    }
  }
  const agents = properties["agents"] ?? {};
  const { additionalProperties: _, ...named } = agents;
  properties["agents"] = {
    ...named,
    patternProperties: { [`^(?!default$)${AGENT_NAME.source.slice(1)}`]: agentJsonSchema() },
    additionalProperties: false,
  };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "graftwork configuration",
    type: ["object", "null"],
    properties,
  };
}

function agentJsonSchema(): Schema {
  const properties = Object.fromEntries(AGENT_KEYS.map((key) => [key, orEmpty(AGENT_KINDS[key].json)]));
  return { type: ["object", "null"], additionalProperties: false, properties };
}

/** A key without a value counts as not given. */
function orEmpty(schema: Readonly<Schema>): Schema {
  return { anyOf: [schema, { type: "null" }] };
}
