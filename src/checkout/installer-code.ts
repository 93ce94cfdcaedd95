import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Governed, GraftworkError } from "../domain/index.ts";
import { lstatBelow, readBelow, readFolder } from "../git/index.ts";
import { SETTINGS_FILES, type SettingsFile } from "./installer-settings.ts";

const PLUGINS = ".yarn/plugins";

/** So many lines of a file are shown. The digest below them covers all of it. */
const SHOWN = 20;

/**
 * Returns the settings files in a folder that could have an installer run something of the project, or work outside of it.
 * A file counts whole unless each of its lines is known to be harmless: how else a setting can be written is for the
 * installer's own parser to say. Yarn's settings include the files that they name. Empty for most projects.
 */
export function installerCode(dir: string): Governed[] {
  return SETTINGS_FILES.flatMap((file): Governed[] => {
    const text = textIn(dir, file.path);
    const lines = openLines(file, text);
    if (lines.length === 0) return [];
    const shown = lines.length > SHOWN ? [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more lines`] : lines;
    const named = file.path === ".yarnrc.yml" ? [...filesNamedIn(dir, text), ...digestsBelow(dir, PLUGINS)] : [];
    const { path: key, purpose } = file;
    return [{ key, purpose, text: [...shown, `the whole file: ${digestOf(text)}`, ...new Set(named)].join("\n") }];
  });
}

/** Lines that are not known to be harmless. */
function openLines({ isPlain, path }: SettingsFile, text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "" && !(path === ".npmrc" ? /^\s*[#;]/ : /^\s*#/).test(line));
  // Other parsers know more line breaks. If the first line is indented, indented lines are no part of another setting.
  const isOdd = /[\u0085\u2028\u2029\ufeff]/.test(text) || /^[\s-]/.test(lines[0] ?? "");
  return isOdd ? lines : lines.filter((line) => !isPlain(line));
}

/** Digests of files that the text names, with escapes of YAML read. */
function filesNamedIn(dir: string, text: string): string[] {
  const read = text.replace(/\\(?:u([0-9a-f]{4})|x([0-9a-f]{2}))/gi, (_, long?: string, short?: string) =>
    String.fromCharCode(Number.parseInt(long ?? short ?? "", 16)),
  );
  const words = read.split(/[\s"',[\]{}]+/).filter((word) => word.includes("."));
  return words.flatMap((word) => {
    const path = word.replace(/^(?:\.\/)+/, "");
    if (path === "" || path.startsWith("/") || path.split("/").includes("..")) return [];
    const stat = lstatBelow(dir, path);
    return stat === undefined || stat.isDirectory() ? [] : [`${path} ${digestOf(textIn(dir, path))}`];
  });
}

function digestsBelow(dir: string, folder: string): string[] {
  if (lstatBelow(dir, folder)?.isDirectory() !== true) return [];
  return readFolder(join(dir, folder)).flatMap((entry) => {
    const inside = `${folder}/${entry.name}`;
    return entry.isDirectory() ? digestsBelow(dir, inside) : [`${inside} ${digestOf(textIn(dir, inside))}`];
  });
}

/** The text of a file. One that is refused, such as a link to elsewhere, has the refusal as its text: no line of it is plain. */
function textIn(dir: string, path: string): string {
  try {
    return readBelow(dir, path)?.toString("utf8") ?? "";
  } catch (error) {
    if (error instanceof GraftworkError && error.code === "FILE_REFUSED") return error.because.replace(dir, ".");
    throw error;
  }
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
