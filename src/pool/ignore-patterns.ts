/** One line of a file like `.gitignore`. */
export type IgnoreRule = { pattern: RegExp; negated: boolean; foldersOnly: boolean };

/** The rules of a text like `.gitignore`, in its order. */
export function parseIgnore(text: string): IgnoreRule[] {
  return text.split(/\r?\n/).flatMap((line) => ruleOf(line) ?? []);
}

function ruleOf(line: string): IgnoreRule | undefined {
  if (line.startsWith("#")) return undefined;
  // Blanks at the end count only behind a backslash.
  let glob = line.replace(/(?<!\\)[ \t]+$/, "");
  const negated = glob.startsWith("!");
  if (negated) glob = glob.slice(1);
  const foldersOnly = glob.endsWith("/");
  if (foldersOnly) glob = glob.slice(0, -1);
  if (glob === "" || glob === "/") return undefined;
  const anchored = glob.includes("/");
  const source = sourceOf(glob.replace(/^\//, ""));
  if (source === undefined) return undefined;
  try {
    return { pattern: new RegExp(`^${anchored ? "" : "(?:.*/)?"}${source}$`, "s"), negated, foldersOnly };
  } catch {
    // `[z-a]`: nothing is in it.
    return undefined;
  }
}

const TOKEN = /^(?:(\*\*\/)|(\/\*\*\/)|(\/\*\*$)|(\*+)|(\?)|\[([!^]?)(\]?(?:\\.|[^\]\\])*)\]|\\(.)|([^\\]))/s;

/** A glob as the source of a regular expression; undefined where it can match nothing (`[` without its end). */
function sourceOf(glob: string): string | undefined {
  let source = "";
  for (let rest = glob; rest !== ""; ) {
    const token = TOKEN.exec(rest);
    if (token === null) return undefined;
    const [all, head, middle, tail, stars, one, not, set, escaped, plain] = token;
    if (head !== undefined) source += source === "" ? "(?:.*/)?" : "[^/]*/";
    else if (middle !== undefined) source += "/(?:.*/)?";
    else if (tail !== undefined) source += "/.*";
    else if (stars !== undefined) source += stars === glob ? ".*" : "[^/]*";
    else if (one !== undefined) source += "[^/]";
    else if (set !== undefined) source += `(?!/)[${not === "" ? "" : "^"}${set.replace(/^\]|[[^]/g, "\\$&")}]`;
    else if (plain === "[") return undefined;
    else source += (escaped ?? plain ?? "").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    rest = rest.slice(all.length);
  }
  return source;
}

/** What the rules say of one path by itself; undefined: nothing. */
export function sayOf(rules: readonly IgnoreRule[], path: string, isFolder: boolean): boolean | undefined {
  const last = rules.findLast((rule) => (isFolder || !rule.foldersOnly) && rule.pattern.test(path));
  return last === undefined ? undefined : !last.negated;
}

/** True where the rules name a file or a folder above it: what is in a named folder cannot be taken out again. */
export function isNamed(rules: readonly IgnoreRule[], path: string): boolean {
  for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1))
    if (sayOf(rules, path.slice(0, end), true) === true) return true;
  return sayOf(rules, path, false) === true;
}
