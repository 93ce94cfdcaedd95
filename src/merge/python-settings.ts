import { parse, type TomlTable, type TomlValue } from "smol-toml";

/** Tables of pyproject.toml, below `tool`, that choose or configure what installs; of some only these keys do. */
const TOOLS: Readonly<Record<string, readonly string[] | "all">> = {
  uv: "all",
  pip: "all",
  poetry: ["source", "requires-plugins"],
  pdm: ["source", "options", "resolution"],
};

/** What pyproject.toml says of the programs that build and install it. One that is no TOML counts whole. */
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

/** Throws for what is no table, so that the whole text counts. */
function tableOf(value: TomlValue | undefined): TomlTable {
  if (value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Date) throw new Error("no table");
  return value;
}

const SECTIONS = /^\[(?:easy_install|global|install|develop)\]/i;
const SETTINGS = /^(?:index[_-]url|find[_-]links|dependency[_-]links|setup[_-]requires)\s*[=:]/i;

/** Returns the lines of setup.cfg that say from where, and with what, packages are installed. */
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
