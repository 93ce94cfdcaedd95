import { parse, type TomlTable, type TomlValue } from "smol-toml";

/** Tables below `tool` in pyproject.toml that choose or configure installers: the whole table, or these keys of it. */
const TOOLS: Readonly<Record<string, readonly string[] | "all">> = {
  uv: "all",
  pip: "all",
  poetry: ["source", "requires-plugins"],
  pdm: ["source", "options", "resolution"],
};

/** Returns what pyproject.toml says about the programs that build and install it. Returns the whole text if it is no TOML. */
export function pyprojectInstallers(text: string): string {
  try {
    const { "build-system": build = null, tool } = parse(text);
    const tools = tableOf(tool);
    const settings = Object.entries(TOOLS).map(([name, keys]) => {
      const table = tableOf(tools[name]);
      return keys === "all" ? table : keys.map((key) => table[key] ?? null);
    });
    return JSON.stringify([build, settings]);
  } catch {
    return text;
  }
}

/** Throws if the value is no table. The caller then takes the whole text. */
function tableOf(value: TomlValue | undefined): TomlTable {
  if (value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Date) throw new Error("no table");
  return value;
}

const SECTIONS = /^\[(?:easy_install|global|install|develop)\]/i;
const SETTINGS = /^(?:index[_-]url|find[_-]links|dependency[_-]links|setup[_-]requires)\s*[=:]/i;

/** Returns the lines of setup.cfg that choose package indexes and build tools. */
export function setupInstallers(text: string): string {
  let [isIn, isOpen] = [false, false];
  const found = text.split(/\r\n|\r|\n/).filter((line) => {
    if (line.trim() === "" || /^\s*[#;]/.test(line)) return false;
    if (line.startsWith("[")) isIn = SECTIONS.test(line);
    // What is indented belongs to the key above it.
    if (!/^\s/.test(line)) isOpen = isIn || SETTINGS.test(line);
    return isOpen;
  });
  return found.join("\n");
}
