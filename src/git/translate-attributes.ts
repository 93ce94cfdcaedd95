/** One `.gitattributes` file of a commit; `folder` is "" for the root. Both are latin1: a character for each byte. */
export type AttributesFile = { folder: string; text: string };

/** What our attributes file says beside `merge`: why a file must not be blended. No value: it may be. */
export const WHY_NOT_BLENDED = "graftwork-merge";

/** Begins the value of that attribute if a driver of the project's own is named. */
export const DRIVER = "driver:";

/** git ignores longer lines. */
const LONGEST_LINE = 2048;

const BUILT_IN_MACRO = "binary";

/**
 * Translates the `merge` attributes of a commit's `.gitattributes` files into one attributes file that means the same
 * at the root, in git's own syntax (gitattributes(5)). A named driver becomes `-merge`: nothing is to run, and git
 * would blend under a driver it does not know. Undefined if no file says anything about `merge`.
 */
export function translateAttributes(files: readonly AttributesFile[]): string | undefined {
  // Of two files that match, the one in the deeper folder wins, and so does the later line.
  const lines = [...files].sort((a, b) => depthOf(a) - depthOf(b)).flatMap((file) => linesOf(file));
  const macros = lines.flatMap((line) => (line.kind === "macro" ? [line.name] : []));
  const wanted = new Set([BUILT_IN_MACRO, ...macros].filter((name) => name !== "merge" && name !== WHY_NOT_BLENDED));
  const own = lines.flatMap(({ kind, name, states }) => {
    const kept = states.flatMap((state) => translateState(state, wanted));
    if (kind === "pattern") return kept.length === 0 ? [] : [`${quoted(name)} ${kept.join(" ")}`];
    // A macro without states still replaces an earlier one of its name.
    return wanted.has(name) ? [`[attr]${name} ${[...kept, "graftwork-macro"].join(" ")}`] : [];
  });
  if (!own.some((line) => !line.startsWith("[attr]"))) return undefined;
  return [`[attr]${BUILT_IN_MACRO} ${translateState("-merge", wanted).join(" ")}`, ...own, ""].join("\n");
}

const depthOf = ({ folder }: AttributesFile): number => (folder === "" ? 0 : folder.split("/").length);

/** `name`: the pattern as it counts from the root, or the name of a macro. */
type Line = { kind: "pattern" | "macro"; name: string; states: string[] };

function linesOf({ folder, text }: AttributesFile): Line[] {
  return text
    .replace(/^\xef\xbb\xbf/, "")
    .split("\n")
    .flatMap((line) => readLine(folder, line.split("\0", 1)[0] ?? "") ?? []);
}

function readLine(folder: string, line: string): Line | undefined {
  const text = line.replace(/^[ \t\r]+/, "");
  if (text === "" || text.startsWith("#") || line.length >= LONGEST_LINE) return undefined;
  const { name, rest } = splitName(text);
  const states = rest.split(/[ \t\r]+/).filter((state) => state !== "");
  // git ignores the whole line if one of its attributes has no valid name.
  if (states.some((state) => !isAttribute(state.replace(/^[-!]/, "").split("=", 1)[0] ?? ""))) return undefined;
  const macro = /^\[attr\][ \t\r]*(.+)$/s.exec(name)?.[1];
  // Only the root may define macros.
  if (macro !== undefined) return folder === "" && isAttribute(macro) ? { kind: "macro", name: macro, states } : undefined;
  const pattern = fromRoot(folder, name);
  return pattern === undefined ? undefined : { kind: "pattern", name: pattern, states };
}

function isAttribute(name: string): boolean {
  return /^[A-Za-z0-9_.][-A-Za-z0-9_.]*$/.test(name) && !name.startsWith("builtin_");
}

function splitName(text: string): { name: string; rest: string } {
  const quote = /^"((?:[^"\\]|\\.)*)"/s.exec(text);
  const name = quote === null ? undefined : unquoted(quote[1] ?? "");
  if (quote !== null && name !== undefined) return { name, rest: text.slice(quote[0].length) };
  const end = text.search(/[ \t\r]/);
  return end < 0 ? { name: text, rest: "" } : { name: text.slice(0, end), rest: text.slice(end) };
}

/** A pattern of a folder's file as it would be at the root. Undefined for those that match no file. */
function fromRoot(folder: string, pattern: string): string | undefined {
  if (pattern.startsWith("!") || pattern.endsWith("/") || pattern === "") return undefined;
  if (folder === "") return pattern;
  const here = folder.replace(/[*?[\\]/g, "\\$&").replace(/^!/, "\\!");
  if (!pattern.includes("/")) return `${here}/**/${pattern}`;
  return `${here}/${pattern.replace(/^\//, "")}`;
}

const BUILT_IN = new Set(["text", "union"]);

function translateState(state: string, macros: ReadonlySet<string>): string[] {
  const [, sign = "", name = "", value] = /^([-!]?)([^=]*)(?:=(.*))?$/s.exec(state) ?? [];
  if (macros.has(name)) return [state];
  if (name !== "merge") return [];
  if (sign === "-" || (sign === "" && value === "binary")) return ["-merge", `${WHY_NOT_BLENDED}=binary`];
  if (sign === "!" || value === undefined || BUILT_IN.has(value)) return [state, `!${WHY_NOT_BLENDED}`];
  return ["-merge", `${WHY_NOT_BLENDED}=${DRIVER}${value}`];
}

const ESCAPES: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "\\": "\\", '"': '"' };

/** Returns a quoted name unquoted. Undefined if git would not accept it as a quoted name. */
export function unquoted(text: string): string | undefined {
  if (/\\(?![abfnrtv\\"]|[0-3][0-7]{2})/.test(text.replaceAll("\\\\", ""))) return undefined;
  return text.replace(/\\([0-3][0-7]{2}|.)/gs, (_, code: string) => ESCAPES[code] ?? String.fromCharCode(Number.parseInt(code, 8)));
}

function quoted(name: string): string {
  if (/^[!-~\x80-\xff]+$/.test(name) && !/^["#]/.test(name) && !name.startsWith("[attr]")) return name;
  const escaped = name.replace(/[\\"]/g, "\\$&");
  return `"${escaped.replace(/[\x00-\x1f\x7f]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`)}"`;
}
