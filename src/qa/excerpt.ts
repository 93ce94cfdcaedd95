import { cleanText, hideCredentials } from "../domain/index.ts";

const LINES = 60;
const BYTES = 4_000;

/** What npm adds below the output of a script that failed: nothing that the exit code does not say. */
const NPM_EPILOGUE = /^npm (?:error|ERR!|notice)\b/;

/**
 * The lines of a check's output that say what is wrong: its last ones, safe to show, at most 4 kB, with paths
 * relative to `dir`, which is gone when somebody reads them.
 */
export function excerptOf(output: string, dir: string): string {
  const lines = cleanText(hideCredentials(output)).replaceAll(`file://${dir}/`, "").replaceAll(`${dir}/`, "").trimEnd().split("\n");
  let end = lines.length;
  while (end > 0 && (NPM_EPILOGUE.test(lines[end - 1] ?? "") || lines[end - 1]?.trim() === "")) end--;
  const kept = (end === 0 ? lines : lines.slice(0, end)).slice(-LINES);
  let size = 0;
  let from = kept.length;
  while (from > 0) {
    size += Buffer.byteLength(kept[from - 1] ?? "") + 1;
    if (size > BYTES) break;
    from--;
  }
  // One endless line: its end, at a character's border.
  if (from === kept.length)
    return Buffer.from(kept.at(-1) ?? "")
      .subarray(-BYTES)
      .toString("utf8")
      .replace(/^\uFFFD+/, "");
  return kept.slice(from).join("\n");
}
