/** Tables of pyproject.toml that choose or configure what installs. */
const TABLES = /^(?:build-system|tool\.(?:uv|pip|poetry\.(?:source|requires-plugins)|pdm\.(?:source|options|resolution)))(?:\.|$)/;

/** Keys of the tables above these that hold the same. */
const KEYS = /^(?:build-system|tool|(?:uv|pip|poetry|pdm|source|requires-plugins))\s*[=.]/;

/**
 * Returns the lines of pyproject.toml that choose or configure installers. Quotes and blanks in names do not count. The whole
 * text counts if lines cannot tell: with escapes in names, or with a long string in one of these tables.
 */
export function pyprojectInstallers(text: string): string {
  if (/\r(?!\n)/.test(text)) return text;
  const found: string[] = [];
  let [isIn, isOpen] = [false, false];
  // Open brackets of a value that counts. Elsewhere each line that looks like a table is taken for one.
  let depth = 0;
  for (const line of text.split("\n")) {
    // A name could be written with escapes.
    if (line.slice(0, line.trimStart().startsWith("[") ? undefined : Math.max(0, line.indexOf("="))).includes("\\")) return text;
    const bare = bareLine(line);
    const table = depth > 0 ? undefined : /^\s*\[+([^[\]=]*)\]+\s*$/.exec(bare)?.[1];
    const name = (table ?? bare)
      .split(".")
      .map((part) => part.trim())
      .join(".");
    if (table !== undefined) isIn = TABLES.test(name);
    if (depth === 0) isOpen = isIn || (table === undefined && KEYS.test(name));
    if (!isOpen) continue;
    if (/"""|'''/.test(line)) return text;
    if (name !== "") found.push(line.trim());
    if (table === undefined) depth = Math.max(0, depth + count(bare, /[[{]/g) - count(bare, /[\]}]/g));
  }
  return found.join("\n");
}

/** A line without its comment, and without quotes and what could be taken for more than text in them. */
function bareLine(line: string): string {
  let [bare, quote, isEscaped] = ["", "", false];
  for (const letter of line) {
    if (quote === "" && letter === "#") break;
    if (quote === "" && (letter === '"' || letter === "'")) quote = letter;
    else if (letter === quote && !isEscaped) quote = "";
    else if (quote === "" || !"[]{}#=".includes(letter)) bare += letter;
    isEscaped = quote === '"' && letter === "\\" && !isEscaped;
  }
  return bare;
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

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
