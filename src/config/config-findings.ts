import { CHECK_KEYS, type DocumentPath, didYouMean, type Finding, nearest, quoted, unknownKeys, type YamlText } from "../domain/index.ts";
import { AGENT_KEYS, AGENT_KEYS_NOT_YET, AGENT_NAME } from "./agent-settings.ts";
import { NOT_YET, SETTING_KEYS } from "./settings.ts";

/** Keys at the top that are ours; all others belong to other programs and are left alone. */
const SECTIONS: readonly string[] = [...new Set([...SETTING_KEYS, ...NOT_YET].map((key) => key.split(".")[0] ?? ""))];

/** Keys in our sections that we do not know, or not yet, and sections that are no maps. */
export function keyFindings(read: YamlText): Finding[] {
  const root = mapOf(read.value);
  if (root === null) return read.value === null ? [] : [read.finding([], "the configuration must be a map of keys")];
  return Object.keys(root)
    .filter((section) => SECTIONS.includes(section))
    .flatMap((section) => sectionFindings(read, section, root[section]));
}

/** Foreign keys at the top that look like a slip in one of ours. */
export function nearMisses(read: YamlText, file: string): string[] {
  const foreign = Object.keys(mapOf(read.value) ?? {}).filter((key) => !SECTIONS.includes(key));
  return foreign.flatMap((key) => {
    const near =
      key.length > 3
        ? nearest(
            key,
            SECTIONS.filter((section) => Math.abs(section.length - key.length) < 3),
          )
        : undefined;
    const { line, column } = read.finding([key], "", "key");
    return near === undefined ? [] : [`${file}:${line}:${column} the key ${quoted(key)} is not read; did you mean \`${near}\`?`];
  });
}

function sectionFindings(read: YamlText, section: string, value: unknown): Finding[] {
  if (NOT_YET.includes(section)) return value === null ? [] : [notYet(read, [section])];
  if ((SETTING_KEYS as readonly string[]).includes(section)) return [];
  const map = mapOf(value);
  if (map === null) return value === null ? [] : [read.finding([section], `\`${section}\` must be a map`)];
  if (section === "agents") return agentFindings(read, map);
  const below = (keys: readonly string[]): string[] =>
    keys.filter((key) => key.startsWith(`${section}.`)).map((key) => key.slice(section.length + 1));
  const later = below(NOT_YET);
  const checks = section === "qa" && Array.isArray(map["checks"]) ? map["checks"] : [];
  return [
    ...later.filter((key) => Object.hasOwn(map, key)).map((key) => notYet(read, [section, key])),
    ...unknownKeys(read, map, [...below(SETTING_KEYS), ...later], [section]),
    ...checks.flatMap((check, i) => unknownKeys(read, check, CHECK_KEYS, [section, "checks", i])),
  ];
}

function agentFindings(read: YamlText, agents: Record<string, unknown>): Finding[] {
  return Object.entries(agents).flatMap(([name, entry]) => {
    if (name === "default") return [];
    const path = ["agents", name];
    if (!AGENT_NAME.test(name))
      return [read.finding(path, `${quoted(name)} is no usable name of an agent: letters, digits, dots, dashes, underscores`, "key")];
    const map = mapOf(entry);
    if (map === null) {
      const hint = typeof entry === "string" || Array.isArray(entry) ? ": write `command: [program, argument]` below it" : "";
      return entry === null ? [] : [read.finding(path, `\`agents.${name}\` must be a map${hint}${didYouMean(name, ["default"])}`)];
    }
    return [
      ...AGENT_KEYS_NOT_YET.filter((key) => Object.hasOwn(map, key)).map((key) => notYet(read, [...path, key])),
      ...unknownKeys(read, map, [...AGENT_KEYS, ...AGENT_KEYS_NOT_YET], path),
    ];
  });
}

function notYet(read: YamlText, path: DocumentPath): Finding {
  return read.finding(path, `\`${path.join(".")}\` is not supported yet: take it out`, "key");
}

export function mapOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}
