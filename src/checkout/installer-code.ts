import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Governed, GraftworkError } from "../domain/index.ts";
import { lstatBelow, readBelow, readFolder } from "../git/index.ts";
import { SETTINGS_FILES, type SettingsFile } from "./installer-settings.ts";

const PLUGINS = ".yarn/plugins";

/** Lines of a file that a question shows. The digest below them covers the whole file. */
const SHOWN = 20;

/**
 * Returns the settings files that could make an installer run code of the project or write outside its folder. A file counts
 * as a whole unless every line is known to be harmless: only the installer's parser knows all spellings of a setting. Yarn's
 * settings include the files that they name. Empty for most projects.
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

/** Returns the lines that are not known to be harmless. */
function openLines({ isPlain, path }: SettingsFile, text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "" && !(path === ".npmrc" ? /^\s*[#;]/ : /^\s*#/).test(line));
  // Some parsers know more line breaks. If the first line is indented, indentation does not mean "part of the setting above".
  const isOdd = /[\u0085\u2028\u2029\ufeff]/.test(text) || /^[\s-]/.test(lines[0] ?? "");
  return isOdd ? lines : lines.filter((line) => !isPlain(line));
}

/** Returns a digest of each file that the text names. Reads YAML escapes first. */
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

/** Returns a file's text. If the file may not be read (a link out of the folder), returns the reason, which no rule calls harmless. */
function textIn(dir: string, path: string): string {
  try {
    return readBelow(dir, path)?.toString("utf8") ?? "";
  } catch (error) {
    if (error instanceof GraftworkError && error.code === "FILE_REFUSED") return error.because.replace(dir, ".");
    throw error;
  }
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
