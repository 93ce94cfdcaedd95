import { readFileSync, statSync } from "node:fs";
import { GraftworkError, readYaml, systemCode, YAML_LIMITS, type YamlText } from "../domain/index.ts";

/** The file's document, or null where there is no file. The YAML parser is loaded only for a file that exists. */
export async function readConfigFile(path: string): Promise<YamlText | null> {
  let text: string;
  try {
    if (statSync(path).size > YAML_LIMITS.bytes) throw new Error(`it is larger than ${YAML_LIMITS.bytes / 2 ** 20} MiB`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw new GraftworkError("CONFIG_INVALID", {
      message: "The configuration cannot be read.",
      because: `${path}: ${error instanceof Error ? error.message : String(error)}`,
      try: "make it a readable file, or move it away to run with the defaults.",
      details: { path },
      cause: error,
    });
  }
  const { yaml } = await import("./yaml-package.ts");
  return readYaml(text, yaml);
}
