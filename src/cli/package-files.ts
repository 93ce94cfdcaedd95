import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { readText } from "../state/index.ts";

/** The package's own folder: the bundle and the sources lie at different depths below it. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** A template of ours, or the repository's own in its place (`.claude/templates/NAME`). */
export function templateText(root: string, name: string): string {
  const text = readText(join(root, ".claude", "templates", name)) ?? readText(join(packageRoot(), "templates", name));
  if (text !== undefined) return text;
  throw new GraftworkError("INTERNAL", {
    message: `graftwork's template ${name} is missing.`,
    because: `neither ${root}/.claude/templates nor the package holds it.`,
    try: "install graftwork again.",
  });
}
