import type { Finding } from "./finding.ts";
import { type YamlLimits, YamlScan } from "./yaml-scan.ts";

export const YAML_LIMITS: YamlLimits = { bytes: 16 * 2 ** 20, depth: 64, items: 20_000, entries: 600_000 };

/**
 * Refuses what would hurt the YAML parser, before the parser sees it: 20,000 nested brackets end the whole process,
 * uncatchably. One pass over the text that follows YAML's rules for quotes, comments, plain and block scalars as far
 * as they decide whether a bracket or a dash is structure: brackets in a brief are text, however many.
 */
export function gateYaml(text: string, limits: YamlLimits = YAML_LIMITS): Finding | null {
  if (text.length > limits.bytes || Buffer.byteLength(text) > limits.bytes) {
    return { line: 1, column: 1, path: "", message: `the text is larger than ${limits.bytes / 2 ** 20} MiB` };
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\r(?!\n)/.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, "0");
    return at(text, control.index, `the text holds the control character U+${code} (is the file UTF-8?)`);
  }
  const problem = new YamlScan(text, limits).run();
  return problem === null ? null : at(text, problem.offset, problem.message);
}

function at(text: string, offset: number, message: string): Finding {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1, path: "", message };
}
