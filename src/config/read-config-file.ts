import { existsSync } from "node:fs";
import { GraftworkError, readYaml, YAML_LIMITS, type YamlText } from "../domain/index.ts";
import { readText } from "../state/index.ts";

/** The file's document, or null where there is no file. The YAML parser is loaded only for a file that exists. */
export async function readConfigFile(path: string): Promise<YamlText | null> {
  let text: string;
  try {
    const read = readText(path, YAML_LIMITS.bytes);
    if (read === undefined && !existsSync(path)) return null;
    if (read === undefined) throw new Error("it is a folder");
    text = read;
  } catch (error) {
    throw new GraftworkError("CONFIG_INVALID", {
      message: "The configuration cannot be read.",
      because: `${path}: ${error instanceof GraftworkError ? error.because : error instanceof Error ? error.message : String(error)}`,
      try: "make it a readable file, or move it away to run with the defaults.",
      details: { path },
      cause: error,
    });
  }
  const { yaml } = await import("./yaml-package.ts");
  return readYaml(text, yaml);
}
